-- AlterTable
ALTER TABLE "User" ADD COLUMN     "metadata" JSONB,
ADD COLUMN     "twoFactorEnabled" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "twoFactorSecret" TEXT;
