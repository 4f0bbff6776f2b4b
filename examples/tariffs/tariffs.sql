-- What electricity costs, by the tariff that held when it was used. The tables' files lie in the folder lookups of the
-- server's data; docs/guide/tariffs.md puts them there.

CREATE TABLE IF NOT EXISTS meter_readings (
  meter    STRING NOT NULL,
  ts       TIMESTAMP_LTZ(3) NOT NULL,
  power_kw DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'device' = 'meter',
  'mqtt.topic' = 'tariffs/+/readings',
  'description' = 'One reading a minute from each meter'
);

-- A price holds from valid_from until the next one of its contract. The file says times as the clocks in Paris show them.
CREATE TABLE IF NOT EXISTS tariffs (
  contract   STRING,
  valid_from TIMESTAMP_LTZ(3),
  price_eur  DOUBLE NOT NULL,
  PRIMARY KEY (contract) NOT ENFORCED,
  WATERMARK FOR valid_from AS valid_from
) WITH (
  'connector' = 'filesystem',
  'path' = 'tariffs.csv',
  'format' = 'csv',
  'csv.header' = 'true',
  'csv.delimiter' = ';',
  'timestamp.format' = 'dd.MM.yyyy HH:mm',
  'timestamp.zone' = 'Europe/Paris',
  'source.monitor-interval' = '1 s'
);

-- Without WATERMARK: the newest rows count.
CREATE TABLE IF NOT EXISTS contracts (
  meter    STRING,
  contract STRING NOT NULL,
  street   STRING,
  PRIMARY KEY (meter) NOT ENFORCED
) WITH (
  'connector' = 'filesystem',
  'path' = 'contracts.csv',
  'format' = 'csv',
  'csv.header' = 'true'
);

-- A reading stands for one minute.
CREATE VIEW IF NOT EXISTS minute_costs AS
SELECT r.meter, r.ts, c.street, c.contract, t.price_eur,
       r.power_kw / 60 AS kwh,
       r.power_kw / 60 * t.price_eur AS cost_eur
FROM meter_readings AS r
JOIN contracts FOR SYSTEM_TIME AS OF r.ts AS c ON r.meter = c.meter
JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON c.contract = t.contract;

CREATE TABLE IF NOT EXISTS daily_costs (
  meter    STRING,
  day_from TIMESTAMP_LTZ(3),
  kwh      DOUBLE,
  cost_eur DOUBLE,
  highest_price_eur DOUBLE
) WITH ('device' = 'meter', 'description' = 'Energy and cost of each day in Paris, per meter');

INSERT INTO daily_costs
SELECT meter, window_start, SUM(kwh), SUM(cost_eur), MAX(price_eur)
FROM TABLE(TUMBLE(TABLE minute_costs, DESCRIPTOR(ts), INTERVAL '1' DAY, TIME ZONE 'Europe/Paris'))
GROUP BY meter, window_start, window_end;

CREATE TABLE IF NOT EXISTS without_contract (
  meter        STRING,
  window_start TIMESTAMP_LTZ(3),
  kwh          DOUBLE
) WITH ('device' = 'meter', 'description' = 'Energy of each hour that nobody pays for');

INSERT INTO without_contract
SELECT meter, window_start, SUM(kwh)
FROM TABLE(TUMBLE(TABLE (
    SELECT meter, ts, power_kw / 60 AS kwh FROM meter_readings WHERE meter NOT IN (SELECT meter FROM contracts)),
  DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY meter, window_start, window_end;
