-- A ward: monitors at the bedside send two leads of an electrocardiogram, 360 readings a second each.
-- A patient is a pseudonym here; whose it is stands in the hospital's own list, which never comes to this machine.

CREATE TABLE IF NOT EXISTS ecg (
  patient STRING NOT NULL,
  ts      TIMESTAMP_LTZ(3) NOT NULL,
  mlii    DOUBLE,   -- mV, modified lead II
  v5      DOUBLE,   -- mV, lead V5
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'device' = 'patient',
  'mqtt.topic' = 'ward/{patient}/ecg',
  'retention' = '7 d',
  'description' = 'Two leads of each patient, 360 readings a second'
);

-- A beat is where lead II climbs through 0.3 mV: between beats it stays around -0.3. Without the lead there is no rate,
-- which is not a rate of 0: the amplifier's rail is at -5.12.
CREATE VIEW IF NOT EXISTS ecg_steps AS
SELECT patient, ts, mlii, LAG(mlii) OVER (PARTITION BY patient ORDER BY ts) AS mlii_before FROM ecg;

CREATE TABLE IF NOT EXISTS heart_rate (
  patient      STRING,
  window_start TIMESTAMP_LTZ(3),
  beats        BIGINT,
  per_minute   DOUBLE
) WITH ('device' = 'patient', 'description' = 'Beats of each patient in every ten seconds');

INSERT INTO heart_rate
SELECT patient, window_start, COUNT(*) FILTER (WHERE mlii_before < 0.3 AND mlii >= 0.3),
       CASE WHEN MIN(mlii) > -5.0 THEN COUNT(*) FILTER (WHERE mlii_before < 0.3 AND mlii >= 0.3) * 6.0 END
FROM TABLE(TUMBLE(TABLE ecg_steps, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY patient, window_start, window_end;

-- A heart that stands still is silent in both leads, with the noise of the skin left. A lead that fell off is silent
-- alone, and without any noise. Looked at over four seconds, every second.
CREATE VIEW IF NOT EXISTS leads AS
SELECT patient, window_time,
       MAX(mlii) - MIN(mlii) AS mlii_swing, MAX(v5) - MIN(v5) AS v5_swing,
       COVERAGE(INTERVAL '0.1' SECOND) AS measured
FROM TABLE(HOP(TABLE ecg, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '4' SECOND))
GROUP BY patient, window_start, window_end, window_time;

CREATE VIEW IF NOT EXISTS lead_states AS
SELECT patient, window_time,
       CASE WHEN measured < 0.9 THEN 'gap'
            WHEN mlii_swing < 0.001 AND v5_swing < 0.001 THEN 'both leads off'
            WHEN mlii_swing < 0.001 THEN 'lead II off'
            WHEN v5_swing < 0.001 THEN 'lead V5 off'
            WHEN mlii_swing < 0.2 AND v5_swing < 0.2 THEN 'no heartbeat'
            ELSE 'well' END AS state
FROM leads;

CREATE VIEW IF NOT EXISTS lead_changes AS
SELECT patient, window_time, state, LAG(state) OVER (PARTITION BY patient ORDER BY window_time) AS state_before
FROM lead_states
WHERE state <> 'gap';

CREATE TABLE IF NOT EXISTS ward_alarms (
  patient  STRING,
  raised   TIMESTAMP_LTZ(3),
  urgency  STRING,
  message  STRING
) WITH ('device' = 'patient', 'description' = 'No heartbeat is an alarm for a doctor, a lead that fell off one for a nurse');

INSERT INTO ward_alarms
SELECT patient, window_time,
       CASE WHEN state = 'no heartbeat' THEN 'now' WHEN state = 'well' THEN 'over' ELSE 'soon' END,
       CASE WHEN state = 'no heartbeat' THEN 'no heartbeat in either lead for four seconds'
            WHEN state = 'well' THEN 'over: ' || state_before
            ELSE state || ': look at the electrodes' END
FROM lead_changes
WHERE state <> state_before;

-- Pressure in an artery and breathing, 125 readings a second.
CREATE TABLE IF NOT EXISTS pressure (
  patient STRING NOT NULL,
  ts      TIMESTAMP_LTZ(3) NOT NULL,
  abp     DOUBLE,   -- mmHg
  resp    DOUBLE,   -- the chest's movement, no unit
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'device' = 'patient',
  'mqtt.topic' = 'ward/{patient}/pressure',
  'retention' = '7 d',
  'description' = 'Arterial pressure and breathing of each patient, 125 readings a second'
);

-- The mean of half a second takes the tremor out; a breath is where it climbs through its middle.
CREATE VIEW IF NOT EXISTS chest AS
SELECT patient, ts, abp,
       AVG(resp) OVER (PARTITION BY patient ORDER BY ts RANGE BETWEEN INTERVAL '0.5' SECOND PRECEDING AND CURRENT ROW) AS moved
FROM pressure;

CREATE VIEW IF NOT EXISTS chest_steps AS
SELECT patient, ts, abp, moved, LAG(moved) OVER (PARTITION BY patient ORDER BY ts) AS moved_before FROM chest;

CREATE TABLE IF NOT EXISTS half_minutes (
  patient      STRING,
  window_start TIMESTAMP_LTZ(3),
  systolic     DOUBLE,
  diastolic    DOUBLE,
  mean         DOUBLE,
  breaths      BIGINT,
  line         STRING
) WITH ('device' = 'patient', 'description' = 'Pressure and breaths of each patient in every half minute; whether the line can be believed');

INSERT INTO half_minutes
SELECT patient, window_start, APPROX_PERCENTILE(abp, 0.98), APPROX_PERCENTILE(abp, 0.02), TIME_WEIGHTED_AVG(abp, ts),
       COUNT(*) FILTER (WHERE moved_before < 0.0 AND moved >= 0.0),
       CASE WHEN MAX(abp) - MIN(abp) < 3.0 THEN 'flat: clotted or closed' WHEN MIN(abp) < 0.0 THEN 'open to the air' ELSE 'well' END
FROM TABLE(TUMBLE(TABLE chest_steps, DESCRIPTOR(ts), INTERVAL '30' SECOND))
GROUP BY patient, window_start, window_end;
