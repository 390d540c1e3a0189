-- AlterTable
ALTER TABLE "Team" ADD COLUMN     "bio" TEXT,
ADD COLUMN     "logo" TEXT;

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "avatar" TEXT;
