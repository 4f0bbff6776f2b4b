-- Meters of a small grid: live averages per meter, and alerts when a house draws too much or its voltage stays low.
-- This is the SQL of Apache Flink; see docs/sql.md for what is supported.

CREATE TABLE IF NOT EXISTS meter_readings (
  meter         STRING NOT NULL,
  ts            TIMESTAMP_LTZ(3) NOT NULL,
  power_kw      DOUBLE,
  reactive_kvar DOUBLE,
  voltage       DOUBLE,
  current_a     DOUBLE,
  kitchen_wh    DOUBLE,
  laundry_wh    DOUBLE,
  heating_wh    DOUBLE,
  -- A reading may come up to five seconds late and still counts.
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'device' = 'meter',
  'mqtt.topic' = 'grid/+/readings',
  'description' = 'One reading a minute from each meter'
);

CREATE TABLE IF NOT EXISTS minute_averages (
  meter        STRING,
  window_start TIMESTAMP_LTZ(3),
  power_kw     DOUBLE,
  voltage      DOUBLE,
  readings     BIGINT
) WITH ('device' = 'meter', 'description' = 'Average of every minute, per meter');

INSERT INTO minute_averages
SELECT meter, window_start, AVG(power_kw), AVG(voltage), COUNT(*)
FROM TABLE(TUMBLE(TABLE meter_readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY meter, window_start, window_end;

CREATE TABLE IF NOT EXISTS overload_alerts (
  meter        STRING,
  window_start TIMESTAMP_LTZ(3),
  window_end   TIMESTAMP_LTZ(3),
  average_kw   DOUBLE,
  highest_kw   DOUBLE,
  message      STRING
) WITH ('device' = 'meter', 'description' = 'A meter drew more than 4 kW on average over ten minutes');

INSERT INTO overload_alerts
SELECT meter, window_start, window_end, AVG(power_kw), MAX(power_kw),
       'OVERLOAD ' || CAST(ROUND(AVG(power_kw), 2) AS STRING) || ' kW on average over 10 minutes'
FROM TABLE(HOP(TABLE meter_readings, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE))
GROUP BY meter, window_start, window_end
HAVING AVG(power_kw) > 4.0;

CREATE TABLE IF NOT EXISTS voltage_alerts (
  meter   STRING,
  event   STRING,
  voltage DOUBLE,
  at_time TIMESTAMP_LTZ(3),
  minutes BIGINT
) WITH ('device' = 'meter', 'description' = 'The voltage at a meter sank below 235 V for five minutes: raised and cleared');

INSERT INTO voltage_alerts
SELECT meter, event, `value`, event_time, duration_ms / 60000
FROM TABLE(DETECT_THRESHOLD(TABLE meter_readings PARTITION BY meter, ON => DESCRIPTOR(voltage),
  BELOW => 235, CLEAR_ABOVE => 238, FOR => INTERVAL '5' MINUTE));
