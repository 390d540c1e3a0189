-- Orders from the old importer say 'SHIPPED' where the app says 'shipped'.
UPDATE "orders" SET "status" = lower("status") WHERE "status" <> lower("status");

-- The rows are right now; the constraint keeps them so.
ALTER TABLE "orders" ADD CONSTRAINT "orders_status_check" CHECK ("status" IN ('open', 'paid', 'shipped', 'returned')) NOT VALID;
ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_status_check";
