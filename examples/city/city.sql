-- A city: air-quality stations, traffic detectors, and citizens' own sensors with their positions.

CREATE TABLE IF NOT EXISTS air_readings (
  station     STRING NOT NULL,
  ts          TIMESTAMP_LTZ(3) NOT NULL,
  co_mg       DOUBLE,   -- mg/m3
  benzene_ug  DOUBLE,   -- ug/m3
  no2_ug      DOUBLE,   -- ug/m3
  temperature DOUBLE,
  humidity    DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH (
  'device' = 'station',
  'mqtt.topic' = 'city/air/{station}',
  'description' = 'One reading an hour from each air-quality station'
);

-- What a day was like, and how much of it was measured at all: a mean over three readings is not a mean of the day.
CREATE TABLE IF NOT EXISTS air_days (
  station        STRING,
  day_start      TIMESTAMP_LTZ(3),
  no2_mean       DOUBLE,
  no2_worst_hour DOUBLE,
  co_p95         DOUBLE,
  measured       DOUBLE
) WITH ('device' = 'station', 'description' = 'Each station and day: nitrogen dioxide, carbon monoxide, share of hours measured');

INSERT INTO air_days
SELECT station, window_start, AVG(no2_ug), MAX(no2_ug), APPROX_PERCENTILE(co_mg, 0.95),
       COVERAGE(INTERVAL '1' HOUR) FILTER (WHERE no2_ug IS NOT NULL)
FROM TABLE(TUMBLE(TABLE air_readings, DESCRIPTOR(ts), INTERVAL '1' DAY))
GROUP BY station, window_start, window_end;

-- The EU's alert threshold for nitrogen dioxide, 400 ug/m3, is for three hours in a row; the information value is 200.
CREATE TABLE IF NOT EXISTS air_alerts (
  station      STRING,
  window_start TIMESTAMP_LTZ(3),
  no2_mean     DOUBLE,
  message      STRING
) WITH ('device' = 'station', 'description' = 'Nitrogen dioxide above 200 ug/m3 for three hours, with at least two of them measured');

INSERT INTO air_alerts
SELECT station, window_start, AVG(no2_ug),
       'NO2 ' || CAST(ROUND(AVG(no2_ug), 0) AS STRING) || ' ug/m3 over three hours'
FROM TABLE(HOP(TABLE air_readings, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '3' HOUR))
GROUP BY station, window_start, window_end
HAVING MIN(no2_ug) > 200.0 AND COUNT(no2_ug) >= 2;

CREATE TABLE IF NOT EXISTS road_readings (
  road      STRING NOT NULL,
  ts        TIMESTAMP_LTZ(3) NOT NULL,
  speed_mph DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '10' MINUTE
) WITH (
  'device' = 'road',
  'mqtt.topic' = 'city/traffic/{road}/speed',
  'description' = 'Average speed past each traffic detector, about every five minutes'
);

CREATE TABLE IF NOT EXISTS traffic_jams (
  road         STRING,
  window_start TIMESTAMP_LTZ(3),
  window_end   TIMESTAMP_LTZ(3),
  speed_mph    DOUBLE,
  slowest_mph  DOUBLE
) WITH ('device' = 'road', 'description' = 'Half hours in which a road was slower than 45 miles per hour');

INSERT INTO traffic_jams
SELECT road, window_start, window_end, AVG(speed_mph), MIN(speed_mph)
FROM TABLE(TUMBLE(TABLE road_readings, DESCRIPTOR(ts), INTERVAL '30' MINUTE))
GROUP BY road, window_start, window_end
HAVING AVG(speed_mph) < 45.0;

-- The sensors send a draft of SenML with numbers as texts; paths take them from where they are.
CREATE TABLE IF NOT EXISTS citizen_messages (
  sensor      STRING NOT NULL,
  ts          TIMESTAMP_LTZ(3) NOT NULL,
  longitude   STRING,
  latitude    STRING,
  temperature STRING,
  dust        STRING,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'device' = 'sensor',
  'mqtt.topic' = 'city/citizens/+',
  'field.ts' = '$.bt',
  'field.sensor'      = '$.e[?@.n == ''source''].sv',
  'field.longitude'   = '$.e[?@.n == ''longitude''].v',
  'field.latitude'    = '$.e[?@.n == ''latitude''].v',
  'field.temperature' = '$.e[?@.n == ''temperature''].v',
  'field.dust'        = '$.e[?@.n == ''dust''].v',
  'description' = 'What citizens measure at home, as their sensors send it'
);

CREATE VIEW IF NOT EXISTS citizen_readings AS
SELECT sensor, ts, CAST(longitude AS DOUBLE) AS longitude, CAST(latitude AS DOUBLE) AS latitude,
       CAST(temperature AS DOUBLE) AS temperature, CAST(dust AS DOUBLE) AS dust
FROM citizen_messages;

-- For a map: the newest reading of each sensor in every ten seconds.
CREATE TABLE IF NOT EXISTS citizen_map (
  sensor      STRING,
  at_time     TIMESTAMP_LTZ(3),
  longitude   DOUBLE,
  latitude    DOUBLE,
  temperature DOUBLE,
  dust        DOUBLE
) WITH ('device' = 'sensor', 'description' = 'Where each citizen sensor stands and what it measured last');

INSERT INTO citizen_map
SELECT sensor, window_end, LAST_VALUE(longitude), LAST_VALUE(latitude), LAST_VALUE(temperature), LAST_VALUE(dust)
FROM TABLE(TUMBLE(TABLE citizen_readings, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY sensor, window_start, window_end;
