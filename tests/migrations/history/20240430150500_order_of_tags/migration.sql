-- AlterTable
ALTER TABLE "Tag" ADD COLUMN     "position" SMALLINT NOT NULL DEFAULT 0;

-- CreateIndex
CREATE UNIQUE INDEX "Tag_label_key" ON "Tag"("label");
