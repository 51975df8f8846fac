// The command line of foster-probe:
//   foster-probe tcp HOST:PORT | unix PATH | http URL [--status N] [--timeout MS]
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/result.hpp"

namespace foster::probe {

inline constexpr int kGood = 0;
inline constexpr int kNotGood = 1;
inline constexpr int kUsage = 2;

inline constexpr char kUsageText[] =
    "Usage: foster-probe tcp HOST:PORT [--timeout MS]\n"
    "       foster-probe unix PATH [--timeout MS]\n"
    "       foster-probe http URL [--status N] [--timeout MS]\n"
    "Exit codes: 0 something answers there, 1 it does not (why is on stderr), 2 wrong usage.\n";

struct TcpTarget {
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  std::string text;  // as it was given
};

struct UnixTarget {
  std::string path;
};

struct HttpTarget {
  std::string url;
  uint16_t status = 0;  // the one expected; 0: any from 200 to 399
};

struct Options {
  std::variant<TcpTarget, UnixTarget, HttpTarget> target;
  uint32_t timeout_ms = 5000;  // of all that is done
};

/// `arguments` without the program's name.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace foster::probe
