-- AlterTable
ALTER TABLE "Article" ADD COLUMN     "coverUrl" TEXT,
ADD COLUMN     "subtitle" VARCHAR(300);
