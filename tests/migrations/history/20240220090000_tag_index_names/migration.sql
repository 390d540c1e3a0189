-- RenameIndex
ALTER INDEX "Article_slug_key" RENAME TO "article_slug_unique";

-- RenameIndex
ALTER INDEX "User_email_key" RENAME TO "user_email_unique";
