-- Rows made, indexed, joined, grouped, searched and changed, in memory; :n stands for how many rows.
PRAGMA cache_size = -64000;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, kind INTEGER);
CREATE TABLE kind (id INTEGER PRIMARY KEY, label TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 97)
INSERT INTO kind SELECT i, 'kind ' || i FROM n;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n)
INSERT INTO item SELECT i, 'item ' || (i * 7919 % 100003), (i * 31 % 1000) / 8.0, i * 13 % 97 + 1 FROM n;
COMMIT;
CREATE INDEX by_name ON item (name);
SELECT label, count(*), round(avg(price), 3), max(name) FROM item JOIN kind ON kind.id = item.kind
GROUP BY label ORDER BY 2 DESC, 1 LIMIT 5;
SELECT count(*) FROM item WHERE name LIKE '%99%' OR price * 2 > 240;
SELECT sum(length(upper(name))), sum(price) FROM item WHERE id % 3 = 0;
UPDATE item SET price = price + 1 WHERE kind < 30;
DELETE FROM item WHERE id % 11 = 0;
SELECT count(*), min(name), round(sum(price), 2) FROM item;
WITH RECURSIVE f(i, a, b) AS (SELECT 0, 0, 1 UNION ALL SELECT i + 1, b, (a + b) % 1000003 FROM f WHERE i < :n)
SELECT a FROM f ORDER BY i DESC LIMIT 1;
