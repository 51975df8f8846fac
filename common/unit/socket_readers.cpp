// What [[socket]] is made of: addresses, names of descriptors and of interfaces.

#include <algorithm>

#include "common/unit/descriptor_name.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/listen_address.hpp"
#include "common/unit/setting_report.hpp"
#include "common/unit/size_text.hpp"

namespace foster {
namespace {

constexpr size_t kInterfaceMax = 15;
constexpr uint64_t kBufferMax = INT32_MAX / 2;  // the kernel doubles it

}  // namespace

void read_listen(const Setting& setting, SocketSpec& socket) {
  const ConfigValue& value = setting.entry.value;
  socket.place = value.place;
  if (value.kind == ValueKind::integer && value.integer > 0 && value.integer <= UINT16_MAX)
    return report_type(setting, "\"tcp://*:" + number_text(value) + "\"");
  if (value.kind != ValueKind::text) return report_type(setting);
  const auto address = read_listen_address(value.text);
  if (!address) {
    const ListenMistake& mistake = address.error();
    return setting.findings.report(
        place_within(setting, value, mistake.offset, mistake.length),
        quoted_text(value.text) + " is no address to listen at: " + mistake.message);
  }
  socket.listen = value.text;
  socket.kind = address->kind;
}

void read_descriptor_name(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr) return;
  if (!is_descriptor_name(*text))
    return report(setting, setting.entry.value,
                  quoted_text(*text) +
                      " cannot be a descriptor's name: 1 to 255 characters of ASCII make one, and "
                      "no colon is among them");
  target = *text;
}

void read_interface(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr) return;
  const auto unfit = [](char c) {
    return control_character(c) || std::string_view(" /:%").contains(c);
  };
  if (text->empty() || text->size() > kInterfaceMax || std::ranges::any_of(*text, unfit))
    return report(setting, setting.entry.value,
                  quoted_text(*text) + " cannot be the name of an interface");
  target = *text;
}

void read_buffer_size(const Setting& setting, uint32_t& target) {
  uint64_t size = 0;
  read_size(setting, size);
  if (size > kBufferMax)
    return report(setting, setting.entry.value, key_text(setting) + " must be less than 1GiB");
  if (size > 0) target = static_cast<uint32_t>(size);
}

}  // namespace foster
