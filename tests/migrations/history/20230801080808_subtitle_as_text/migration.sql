-- AlterTable
ALTER TABLE "Article" ALTER COLUMN "subtitle" SET DATA TYPE TEXT;
