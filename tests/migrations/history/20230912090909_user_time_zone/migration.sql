-- AlterTable
ALTER TABLE "User" ADD COLUMN     "timeZone" TEXT NOT NULL DEFAULT 'Europe/London',
ADD COLUMN     "weekStart" TEXT NOT NULL DEFAULT 'Monday';
