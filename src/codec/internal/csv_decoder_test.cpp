#include <doctest/doctest.h>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

TEST_CASE("CSV without a header has the table's columns in their order, or those it is told") {
  DecoderFixture all({{"format", "csv"}});
  CHECK(all.decode("m1,1700000000000,21.5,3,9007199254740993,true,fine,2026-01-02 03:04:05\r\n") ==
        R"({"device":"m1","ts":"2023-11-14T22:13:20.000Z","value":21.5,"n":3,"total":9007199254740993,"ok":true,)"
        R"("note":"fine","wall":"2026-01-02T03:04:05.000"})"
        "\n");
  DecoderFixture some({{"format", "csv"}, {"csv.columns", "ts, -, VALUE, device"}, {"csv.delimiter", ";"}});
  CHECK(some.decode("1970-01-01T00:00:01Z;x; -0.5 ;m2\n0;;+7;m3").find(R"("value":-0.5)") != std::string::npos);
  CHECK(some.last.good == 2);
  DecoderFixture tab({{"format", "csv"}, {"csv.columns", "device,value"}, {"csv.delimiter", "tab"}});
  CHECK(tab.decode("m\t1").starts_with(R"({"device":"m","ts":null,"value":1)"));
}

TEST_CASE("a CSV header names the fields of its payload") {
  DecoderFixture fixture({{"format", "csv"}, {"csv.header", "true"}});
  CHECK(fixture.decode("\xEF\xBB\xBFVALUE,device,extra\n1,m,x\n2,m,\n").find(R"("value":2)") != std::string::npos);
  CHECK(fixture.last.good == 2);
  CHECK(fixture.last.unknown_keys == 2);
  CHECK(fixture.decode("device,n\nm,5").find(R"("n":5)") != std::string::npos);
  CHECK(fixture.decode("device,n\n").empty());
  CHECK(fixture.last.misfits == 0);
  CHECK(fixture.reason("") == "the payload is empty");
  CHECK(fixture.reason("device,n,n\nm,5,6") == "column 'n' comes more than once");
}

TEST_CASE("an empty CSV field is NULL, and so is what the stream calls NULL") {
  DecoderFixture fixture({{"format", "csv"}, {"csv.columns", "device,value,note"}, {"csv.null", "NA"}});
  const std::string rows = fixture.decode("m,NA,NA\nm,,\nm, ,\"a,\"\"b\"\"\"\n");
  CHECK(rows.find(R"("ok":null,"note":"a,\"b\"")") != std::string::npos);
  CHECK(fixture.last.good == 3);
  fixture.rules.default_device = fixture.devices.intern("sender");
  CHECK(fixture.decode(",1,").starts_with(R"({"device":"sender")"));
  fixture.rules.default_device.reset();
  CHECK(fixture.reason(",1,") == "column 'device', which names the device, is missing or empty");
}

TEST_CASE("what does not fit is told with what was expected and what came") {
  DecoderFixture fixture({{"format", "csv"}, {"csv.columns", "device,ts,value,n,ok,total"}});
  CHECK(fixture.reason("m,0,21.5C,,,") == "column 'value' expects DOUBLE, but \"21.5C\" came");
  CHECK(fixture.reason("m,0,nan,,,") == "column 'value' expects DOUBLE, but \"nan\" came");
  CHECK(fixture.reason("m,0,1e999,,,") == "column 'value' expects DOUBLE: a number in its range, but \"1e999\" came");
  CHECK(fixture.reason("m,0,,3.5,,") == "column 'n' expects INT: a number without a fraction, but \"3.5\" came");
  CHECK(fixture.reason("m,0,,3000000000,,")
            .ends_with("a number from -2147483648 to 2147483647, but \"3000000000\" came"));
  CHECK(fixture.reason("m,0,,,yes,") == "column 'ok' expects BOOLEAN, but \"yes\" came");
  CHECK(fixture.reason("m,0,,,,9223372036854775808").find("a number in its range") != std::string::npos);
  CHECK(fixture.reason("m,today,,,,").starts_with("column 'ts' expects TIMESTAMP_LTZ(3): milliseconds since 1970 or"));
  CHECK(fixture.reason("m,0") == "6 fields expected (device, ts, value, n, ok, total), but 2 came");
  CHECK(fixture.reason("m,0,,3.0,,").starts_with("rows: "));
}

TEST_CASE("a bad CSV record costs only itself, a lost quote too") {
  DecoderFixture fixture({{"format", "csv"}, {"csv.columns", "device,note,value"}}, readings_fields(), 64);
  fixture.decode("m,a,1\nm,b\nm,\"open,2\nm,c,3\nm,d,4\nm,x\"y,5\nm,\"e\",6\n");
  CHECK(fixture.last.good == 4);
  CHECK(fixture.misfits.records == std::vector<std::string>{"m,b", "m,\"open,2", "m,x\"y,5"});
  CHECK(fixture.decode("m,\"two\nlines\",1\n").find("two\\nlines") != std::string::npos);
  fixture.decode("m," + std::string(70, 'x') + ",1\nm,ok,2\n");
  CHECK(fixture.last.good == 1);
  CHECK(fixture.misfits.codes == std::vector<int>{4003});
  CHECK(fixture.reason("m,\xFFz,1").starts_with("column 'note' expects STRING: text in UTF-8, but"));
}

TEST_CASE("every line with a lost quote: the work stays linear") {
  DecoderFixture fixture({{"format", "csv"}, {"csv.columns", "device,value"}});
  std::string payload;
  for (int at = 0; at < 50'000; ++at) payload += "m,\"1\n";
  payload += "m,2";
  CHECK(fixture.decode(payload).find(R"("value":2)") != std::string::npos);
  CHECK(fixture.last.misfits == 50'000);
}

TEST_CASE("options that cannot be used are refused by name") {
  CHECK(DecoderFixture({{"format", "xml"}}).refused == "format: 'format' cannot be 'xml'");
  CHECK(DecoderFixture({{"format", "csv"}, {"csv.delimiter", ";;"}}).refused.starts_with("csv.delimiter: "));
  CHECK(DecoderFixture({{"format", "csv"}, {"csv.header", "yes"}}).refused.starts_with("csv.header: "));
  CHECK(DecoderFixture({{"format", "csv"}, {"csv.columns", "a"}}).refused ==
        "csv.columns: unknown column 'a' for 'csv.columns'");
  CHECK(DecoderFixture({{"format", "csv"}, {"csv.columns", "n,N"}}).refused.starts_with("csv.columns: "));
  const DecoderFixture both({{"format", "csv"}, {"csv.columns", "n"}, {"csv.header", "true"}});
  CHECK(both.refused.starts_with("csv.columns: "));
  CHECK(DecoderFixture({{"format", "json"}, {"csv.header", "true"}}).refused ==
        "csv.header: 'csv.header' cannot be set here: only with 'format' = 'csv'");
}

TEST_CASE("NDJSON is JSON by another name") {
  DecoderFixture fixture({{"format", "ndjson"}});
  fixture.decode("{\"device\":\"m\"}\n{\"device\":\"n\"}\n");
  CHECK(fixture.last.good == 2);
}

}  // namespace
}  // namespace tidegate::codec
