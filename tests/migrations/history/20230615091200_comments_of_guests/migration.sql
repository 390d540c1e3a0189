-- AlterTable
ALTER TABLE "Comment" ADD COLUMN     "guestName" TEXT,
ALTER COLUMN "body" DROP NOT NULL;
