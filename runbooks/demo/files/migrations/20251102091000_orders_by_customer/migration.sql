-- The customer's page lists the newest orders first. Built while people go on ordering.
CREATE INDEX CONCURRENTLY "orders_customer_id_placed_at_idx" ON "orders"("customer_id", "placed_at" DESC);
