-- CreateIndex
CREATE INDEX CONCURRENTLY "Comment_authorId_idx" ON "Comment"("authorId");
