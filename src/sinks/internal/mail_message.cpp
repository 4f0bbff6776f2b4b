#include "sinks/internal/mail_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/ids.h"
#include "codec/utf8.h"
#include "crypto/mac.h"

namespace tidegate::sinks {

namespace {

// One line without control characters.
std::string one_line(std::string_view text) {
  std::string out = codec::valid_utf8(text, kMaxSubjectBytes);
  std::ranges::replace_if(out, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

// Encoded words of at most 75 characters, each of whole UTF-8 sequences (RFC 2047 section 5), folded one a line.
std::string header_text(std::string_view text) {
  constexpr size_t kPlainBytes = 66;  // with "Subject: " a line of 75
  constexpr size_t kWordBytes = 39;   // 52 of base64 and 12 around it: with "Subject: " a line of 73
  std::string line = one_line(text);
  const bool plain = line.size() <= kPlainBytes && line.find("=?") == std::string::npos &&
                     std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) return line;
  std::string out;
  for (size_t at = 0; at < line.size();) {
    size_t end = at;
    while (end < line.size()) {
      const size_t sequence = std::max<size_t>(1, codec::utf8_sequence_size(std::string_view(line).substr(end)));
      if (end + sequence - at > kWordBytes) break;
      end += sequence;
    }
    if (!out.empty()) out += "\r\n ";
    out += fmt::format("=?UTF-8?B?{}?=", crypto::base64(std::string_view(line).substr(at, end - at)));
    at = end;
  }
  return out;
}

std::string date_text(int64_t time_us) {
  const std::time_t seconds = time_us / kMicrosPerSecond;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
                     parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// Lines of text end in CR LF before they are encoded (RFC 2045 section 6.8).
std::string body_text(std::string_view text) {
  std::string canonical;
  canonical.reserve(text.size() + text.size() / 16);
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\n') canonical += '\r';
    canonical += c;
  }
  constexpr size_t kLine = 76;
  const std::string encoded = crypto::base64(canonical);
  std::string out;
  for (size_t at = 0; at < encoded.size(); at += kLine) out += encoded.substr(at, kLine) + "\r\n";
  return out;
}

bool is_atom_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(text, [](char c) { return c == '.' || is_atom_character(c); });
}

}  // namespace

std::string mail_message(const MailText& mail) {
  std::string to;
  for (const std::string& address : mail.to) to += fmt::format("{}<{}>", to.empty() ? "" : ",\r\n ", address);
  return fmt::format(
             "Date: {}\r\nFrom: <{}>\r\nTo: {}\r\nMessage-ID: <{}>\r\nSubject: {}\r\nAuto-Submitted: auto-generated\r\n"
             "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
             "base64\r\n\r\n",
             date_text(mail.date_us), mail.from, to, mail.message_id, header_text(mail.subject)) +
         body_text(mail.body);
}

bool is_mail_address(std::string_view text) {
  constexpr size_t kMaxAddress = 254;  // RFC 5321, section 4.5.3.1.3
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos || text.size() > kMaxAddress) return false;
  const std::string_view domain = text.substr(at + 1);
  const bool host = std::ranges::all_of(domain, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  return is_dot_atom(text.substr(0, at)) && host && is_dot_atom(domain);
}

std::string message_id_part(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); }, '-');
  return out;
}

}  // namespace tidegate::sinks
