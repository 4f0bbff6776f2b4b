// A mail as RFC 5322 text. Pure. Whatever stands in subject and body, it cannot add or change a header: the subject is
// one line of encoded words (RFC 2047) unless it is plain ASCII, the body is base64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::sinks {

inline constexpr size_t kMaxSubjectBytes = 200;  // more is not read, and other programs fold it badly

struct MailText {
  std::string from;
  std::vector<std::string> to;
  std::string subject;
  std::string body;
  int64_t date_us = 0;
  std::string message_id;  // without < >; the same whenever the mail goes out again
};

[[nodiscard]] std::string mail_message(const MailText& mail);

// local@domain of the characters that need no quoting (RFC 5322, dot-atom), at most 254 bytes.
[[nodiscard]] bool is_mail_address(std::string_view text);

// Letters, digits and dashes of `text`, anything else as '-': fit for a message id.
[[nodiscard]] std::string message_id_part(std::string_view text);

}  // namespace tidegate::sinks
