-- A register of persons who do not exist, the same in every run: identity numbers of region code 99,
-- which no place in China bears, with valid check characters. The number of persons is the parameter
-- @persons:  sqlite3 persons.sqlite '.parameter set @persons 20000' '.read persons.sql'
-- (at most 8 * 29000 * 999: an identity number has three digits for those born in one place and day).
PRAGMA journal_mode = WAL;
BEGIN;

CREATE TABLE resident (
  id_no     TEXT PRIMARY KEY NOT NULL,
  full_name TEXT NOT NULL,
  born      TEXT NOT NULL,
  province  TEXT NOT NULL,
  county    TEXT NOT NULL,
  address   TEXT,
  phone     TEXT,
  remark    TEXT NOT NULL
) WITHOUT ROWID;

CREATE TEMP TABLE place (i INTEGER PRIMARY KEY, code TEXT, name TEXT);
INSERT INTO place VALUES
  (0, '990101', '东河区'), (1, '990102', '西山区'), (2, '990103', '南门区'), (3, '990104', '北岭区'),
  (4, '990221', '青石县'), (5, '990222', '白沙县'), (6, '990223', '双桥县'), (7, '990224', '九里县');
CREATE TEMP TABLE surname (i INTEGER PRIMARY KEY, text TEXT);
INSERT INTO surname VALUES
  (0, '王'), (1, '李'), (2, '张'), (3, '刘'), (4, '陈'), (5, '杨'), (6, '赵'), (7, '黄'), (8, '周'),
  (9, '吴'), (10, '徐'), (11, '孙'), (12, '欧阳');
CREATE TEMP TABLE given (i INTEGER PRIMARY KEY, text TEXT);
INSERT INTO given VALUES
  (0, '伟'), (1, '秀英'), (2, '敏'), (3, '静'), (4, '建国'), (5, '磊'), (6, '洋'), (7, '桂兰'),
  (8, '艳'), (9, '杰'), (10, '小明'), (11, '雨桐'), (12, '浩然'), (13, '子涵'), (14, '明月'),
  (15, '志强'), (16, '文'), (17, '晓红'), (18, '思远');

WITH RECURSIVE
  counter(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < @persons),
  -- 7919 has no divisor in common with 29000: each day comes once before any comes again.
  person AS (
    SELECT n, n % 8 AS place, date('1940-01-01', (n / 8 * 7919 % 29000) || ' days') AS born,
           n / 8 / 29000 + 1 AS serial
    FROM counter),
  body AS (
    SELECT person.*, code || replace(born, '-', '') || printf('%03d', serial) AS digits
    FROM person JOIN place ON place.i = person.place),
  -- GB 11643: weights 2^(18-i) mod 11 over the first 17 digits.
  checked AS (
    SELECT body.*, substr('10X98765432', 1 + (
        7 * substr(digits, 1, 1) + 9 * substr(digits, 2, 1) + 10 * substr(digits, 3, 1) +
        5 * substr(digits, 4, 1) + 8 * substr(digits, 5, 1) + 4 * substr(digits, 6, 1) +
        2 * substr(digits, 7, 1) + 1 * substr(digits, 8, 1) + 6 * substr(digits, 9, 1) +
        3 * substr(digits, 10, 1) + 7 * substr(digits, 11, 1) + 9 * substr(digits, 12, 1) +
        10 * substr(digits, 13, 1) + 5 * substr(digits, 14, 1) + 8 * substr(digits, 15, 1) +
        4 * substr(digits, 16, 1) + 2 * substr(digits, 17, 1)) % 11, 1) AS last
    FROM body)
INSERT INTO resident
SELECT digits || last, surname.text || given.text, born, '99', place.name,
       place.name || '样本路' || (n % 197 + 1) || '号',
       CASE WHEN n % 11 = 0 THEN NULL ELSE printf('1990000%04d', n % 10000) END,
       'synthetic 合成数据'
FROM checked
JOIN place ON place.i = checked.place
JOIN surname ON surname.i = n % 13
JOIN given ON given.i = n / 13 % 19;

COMMIT;
