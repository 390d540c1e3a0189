-- The shop's rows, made on the server. :orders is how many orders.
INSERT INTO products (sku, title, price_cents)
SELECT 'SKU-' || n, 'Product ' || n, 100 + n * 7 FROM generate_series(1, 200) n;

INSERT INTO customers (email, name, created_at)
SELECT 'customer' || n || '@shop.example', 'Customer ' || n, now() - make_interval(days => n % 900)
FROM generate_series(1, greatest(10, :orders / 20)) n;

INSERT INTO coupons (code, percent) SELECT 'SAVE' || n, n FROM generate_series(5, 50, 5) n;

INSERT INTO orders (customer_id, product_id, quantity, status, placed_at, coupon_code)
SELECT 1 + n % greatest(10, :orders / 20), 1 + n % 200, 1 + n % 5,
       CASE WHEN n % 10 = 0 THEN 'SHIPPED' ELSE (ARRAY['open', 'paid', 'shipped', 'returned'])[1 + n % 4] END,
       now() - make_interval(mins => n % 500000),
       CASE WHEN n % 25 = 0 THEN 'SAVE10' END
FROM generate_series(1, :orders) n;

ANALYZE;
