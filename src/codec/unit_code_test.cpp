#include "codec/unit_code.h"

#include <doctest/doctest.h>

#include <string>

#include "codec/internal/unit_atoms.h"

namespace tidegate::codec {
namespace {

std::string name(std::string_view code) {
  const auto parsed = unit_name(code);
  return parsed ? *parsed : "refused: " + parsed.error().message;
}
std::string hint(std::string_view code) {
  const auto parsed = unit_name(code);
  return parsed ? "taken: " + *parsed : parsed.error().hint;
}

TEST_CASE("units are read as UCUM writes them, case by case") {
  CHECK(name("Cel") == "degree Celsius");
  CHECK(name("C") == "coulomb");
  CHECK(name("kW.h") == "kilowatt hour");
  CHECK(name("m3/h") == "metre^3 per hour");
  CHECK(name("m/s2") == "metre per second^2");
  CHECK(name("m.s-1") == "metre second^-1");
  CHECK(name("mW") == "milliwatt");
  CHECK(name("MW") == "megawatt");
  CHECK(name("hPa") == "hectopascal");
  CHECK(name("dam") == "dekametre");
  CHECK(name("cd") == "candela");
  CHECK(name("min") == "minute");
  CHECK(name("Pa") == "pascal");
  CHECK(name("KiBy/s") == "kibibyte per second");
  CHECK(name("dB[SPL]") == "decibel of sound pressure");
  CHECK(name("mm[Hg]") == "millimetre of mercury column");
  CHECK(name("[in_i'H2O]") == "inch of water column");
  CHECK(name("%") == "percent");
  CHECK(name("1") == "1");
  CHECK(name("10*3/uL") == "ten^3 per microlitre");
  CHECK(name("100.g") == "100 gram");
  CHECK(name("/min") == "per minute");
  CHECK(name("{rev}/min") == "{rev} per minute");
  CHECK(name("%{humidity}") == "percent {humidity}");
  CHECK(name("mg/(kg.d)") == "milligram per (kilogram day)");
  CHECK(name("W/(m2.K)") == "watt per (metre^2 kelvin)");
}

TEST_CASE("what is no unit is refused with what may have been meant") {
  CHECK(hint("°C") == "Did you mean 'Cel' (degree Celsius)? 'C' is coulomb");
  CHECK(hint("degC") == "Did you mean 'Cel' (degree Celsius)? 'C' is coulomb");
  CHECK(hint("celsius") == "Did you mean 'Cel' (degree Celsius)? 'C' is coulomb");
  CHECK(hint("kWh") == "Did you mean 'kW.h' (kilowatt hour)?");
  CHECK(hint("KWH") == "Did you mean 'kW.h' (kilowatt hour)?");
  CHECK(hint("rpm") == "Did you mean '{rev}/min' ({rev} per minute)?");
  CHECK(hint("m³/h").find("exponents are plain digits") != std::string::npos);
  CHECK(hint("m^3/h").find("exponents are plain digits") != std::string::npos);
  CHECK(hint("volts") == "Did you mean 'V' (volt) or 'B[V]' (bel of volts)?");
  CHECK(hint("KPA") == "Did you mean 'kPa' (kilopascal)?");
  CHECK(hint("hZ").starts_with("Did you mean 'Hz' (hertz)?"));
  CHECK(hint("smoots").starts_with("Units are written as UCUM has them"));
  CHECK(name("kmin") == "refused: 'kmin' is no unit of UCUM");  // a minute takes no prefix
  CHECK(name("kkm") == "refused: 'kkm' is no unit of UCUM");
}

TEST_CASE("the grammar is kept") {
  for (const char* bad : {"",  "/",  "m/",   "m//s",  "m..s", ".m",    "(m", "m)",     "m-",    "m+", "m2m", "2m",
                          "{", "{}", "m{é}", "[in_i", "m s",  "m {a}", "()", "{a}{b}", "m{a}2", "%%", "-1"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(unit_name(bad));
    CHECK_FALSE(unit_name(bad).error().message.empty());
    CHECK_FALSE(unit_name(bad).error().hint.empty());
  }
  CHECK(name(std::string(65, '(')) == "refused: a unit has 1 to 64 characters");
  CHECK(name(std::string(64, '(')) == "refused: a unit is expected at the end");
}

TEST_CASE("all that is proposed is a unit, and no two ways lead to one code") {
  for (const UnitMistake& mistake : unit_mistakes()) {
    CAPTURE(mistake.written);
    CHECK(unit_name(mistake.code));
    CHECK_FALSE(unit_name(mistake.written));
  }
  for (const UnitAtom& metric : unit_atoms()) {
    if (!metric.metric) continue;
    for (const UnitPrefix& prefix : unit_prefixes()) {
      const std::string code = std::string(prefix.code) + std::string(metric.code);
      CAPTURE(code);
      // Where UCUM has an atom of the same letters, the atom is meant; these are all of them.
      const bool atom = code == "cd" || code == "Pa" || code == "pc" || code == "Gal" || code == "Gy" || code == "kat";
      CHECK((unit_name(code) == std::string(prefix.name) + std::string(metric.name)) != atom);
    }
  }
}

}  // namespace
}  // namespace tidegate::codec
