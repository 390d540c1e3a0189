-- AlterTable
ALTER TABLE "_ArticleToTag" ADD CONSTRAINT "_ArticleToTag_AB_pkey" PRIMARY KEY ("A", "B");

-- DropIndex
DROP INDEX "_ArticleToTag_AB_unique";
