-- Every status is spelled in one way.
SELECT count(*) = 0 FROM orders WHERE status <> lower(status);
