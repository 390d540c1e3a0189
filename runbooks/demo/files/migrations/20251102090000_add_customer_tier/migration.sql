-- Every customer has a tier from now on. A constant default needs no rewrite.
ALTER TABLE "customers" ADD COLUMN "tier" TEXT NOT NULL DEFAULT 'standard';
