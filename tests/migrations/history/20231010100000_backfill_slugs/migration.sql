-- Written by hand: every article needs a slug before it can be required.
UPDATE "Article" SET "slug" = lower(regexp_replace("title", '[^a-zA-Z0-9]+', '-', 'g')) || '-' || "id" WHERE "slug" IS NULL;

-- AlterTable
ALTER TABLE "Article" ALTER COLUMN "slug" SET NOT NULL;
