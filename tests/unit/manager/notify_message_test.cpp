#include "daemon/manager/notify_message.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace foster::manager {
namespace {

using std::chrono::microseconds;

TEST(NotifyMessage, TheWholeProtocol) {
  const NotifyMessage message = parse_notify_message(
      "READY=1\nSTATUS=Serving\nMAINPID=4711\nERRNO=2\nWATCHDOG=1\nWATCHDOG_USEC=2000000\n"
      "EXTEND_TIMEOUT_USEC=500\nRELOADING=1\nMONOTONIC_USEC=8934954\nSTOPPING=1\n");
  EXPECT_TRUE(message.news);
  EXPECT_TRUE(message.said.ready);
  EXPECT_TRUE(message.said.reloading);
  EXPECT_TRUE(message.said.stopping);
  EXPECT_TRUE(message.said.watchdog);
  EXPECT_FALSE(message.said.watchdog_trigger);
  EXPECT_EQ(message.said.status_text, "Serving");
  EXPECT_EQ(message.said.main_pid, 4711);
  EXPECT_EQ(message.said.service_errno, 2);
  EXPECT_EQ(message.said.watchdog_interval, microseconds(2'000'000));
  EXPECT_EQ(message.said.extend_timeout, microseconds(500));
  EXPECT_FALSE(message.barrier);
  EXPECT_TRUE(message.warnings.empty());
}

TEST(NotifyMessage, WishesOfTheStoreAreNoNews) {
  const NotifyMessage store = parse_notify_message("FDSTORE=1\nFDNAME=state\nFDPOLL=0");
  EXPECT_TRUE(store.wish.store);
  EXPECT_FALSE(store.wish.remove);
  EXPECT_EQ(store.wish.name, "state");
  EXPECT_FALSE(store.wish.poll);
  EXPECT_FALSE(store.news);
  const NotifyMessage remove = parse_notify_message("FDSTOREREMOVE=1\nFDNAME=state\nREADY=1");
  EXPECT_TRUE(remove.wish.remove);
  EXPECT_FALSE(remove.wish.store);
  EXPECT_TRUE(remove.wish.poll);
  EXPECT_TRUE(remove.news) << "something else was said as well";
  const NotifyMessage wrong = parse_notify_message("FDSTORE=2\nFDSTOREREMOVE=\nFDPOLL=maybe");
  EXPECT_FALSE(wrong.wish.store);
  EXPECT_FALSE(wrong.wish.remove);
  EXPECT_EQ(wrong.warnings.size(), 3u);
}

TEST(NotifyMessage, WhatIsNotSaidIsNotThere) {
  const NotifyMessage message = parse_notify_message("STATUS=");
  EXPECT_TRUE(message.news);
  EXPECT_EQ(message.said.status_text, "");
  EXPECT_FALSE(message.said.ready);
  EXPECT_FALSE(message.said.main_pid);
  EXPECT_FALSE(message.said.watchdog_interval);
}

TEST(NotifyMessage, UnknownKeysArePassedOver) {
  const NotifyMessage message =
      parse_notify_message("X_MINE=1\nFDSTORE=1\nFDNAME=a\nNOTIFYACCESS=all\nREADYY=1\nready=1");
  EXPECT_FALSE(message.news);
  EXPECT_TRUE(message.warnings.empty());
}

TEST(NotifyMessage, ATrailingNulIsTheEnd) {
  EXPECT_TRUE(parse_notify_message(std::string_view("READY=1\0", 8)).said.ready);
  EXPECT_TRUE(parse_notify_message(std::string_view("READY=1\n\0", 9)).said.ready);
}

TEST(NotifyMessage, TheTriggerOfTheWatchdog) {
  const NotifyMessage message = parse_notify_message("WATCHDOG=trigger");
  EXPECT_TRUE(message.said.watchdog_trigger);
  EXPECT_FALSE(message.said.watchdog);
}

TEST(NotifyMessage, ABarrierStandsAlone) {
  for (const char* text : {"BARRIER=1", "BARRIER=1\n"}) {
    EXPECT_TRUE(parse_notify_message(text).barrier);
    EXPECT_FALSE(parse_notify_message(text).news);
  }
  const NotifyMessage mixed = parse_notify_message("READY=1\nBARRIER=1");
  EXPECT_FALSE(mixed.barrier);
  EXPECT_TRUE(mixed.said.ready);
  ASSERT_EQ(mixed.warnings.size(), 1u);
  EXPECT_EQ(mixed.warnings[0], "'BARRIER=1' must be BARRIER=1, and alone in its message");
  EXPECT_FALSE(parse_notify_message("BARRIER=0").barrier);
}

TEST(NotifyMessage, WhatIsMalformedDoesNotCountAndIsSaid) {
  for (const char* text : {"READY=0",
                           "READY=",
                           "READY=11",
                           "RELOADING=yes",
                           "STOPPING=2",
                           "WATCHDOG=0",
                           "WATCHDOG=Trigger",
                           "MAINPID=",
                           "MAINPID=0",
                           "MAINPID=1",
                           "MAINPID=-5",
                           "MAINPID=12x",
                           "MAINPID= 12",
                           "MAINPID=4294967298",
                           "ERRNO=-1",
                           "ERRNO=4096",
                           "ERRNO=EIO",
                           "WATCHDOG_USEC=1s",
                           "WATCHDOG_USEC=-1",
                           "EXTEND_TIMEOUT_USEC=18446744073709551616",
                           "MONOTONIC_USEC=soon",
                           "no value",
                           "=1"}) {
    const NotifyMessage message = parse_notify_message(text);
    EXPECT_FALSE(message.news) << text;
    EXPECT_EQ(message.warnings.size(), 1u) << text;
  }
}

TEST(NotifyMessage, OneMistakeDoesNotCostTheRest) {
  const NotifyMessage message = parse_notify_message("MAINPID=x\nREADY=1\n\nSTATUS=ok");
  EXPECT_TRUE(message.said.ready);
  EXPECT_EQ(message.said.status_text, "ok");
  ASSERT_EQ(message.warnings.size(), 1u);
  EXPECT_EQ(message.warnings[0], "'MAINPID=x' is no process");
}

TEST(NotifyMessage, WarningsAreFewAndShort) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "MAINPID=" + std::string(200, '\x01') + "\n";
  const NotifyMessage message = parse_notify_message(text);
  EXPECT_EQ(message.warnings.size(), 3u);
  EXPECT_LT(message.warnings[0].size(), 80u);
}

TEST(NotifyMessage, NoneIsWrittenAsTheLargestNumber) {
  EXPECT_EQ(parse_notify_message("WATCHDOG_USEC=18446744073709551615").said.watchdog_interval,
            Duration::zero());
  EXPECT_EQ(parse_notify_message("WATCHDOG_USEC=0").said.watchdog_interval, Duration::zero());
}

TEST(NotifyMessage, TimesThatAreAsGoodAsForEverCanBeCountedWith) {
  const auto ten_years = microseconds(std::chrono::hours(10 * 365 * 24));
  for (const char* number : {"315360000000001", "9223372036854775", "18446744073709551614"}) {
    const std::string text = number;
    EXPECT_EQ(parse_notify_message("WATCHDOG_USEC=" + text).said.watchdog_interval, ten_years);
    EXPECT_EQ(parse_notify_message("EXTEND_TIMEOUT_USEC=" + text).said.extend_timeout, ten_years);
  }
}

TEST(NotifyMessage, TheLastOfAKeyCounts) {
  EXPECT_EQ(parse_notify_message("STATUS=a\nSTATUS=b=c").said.status_text, "b=c");
}

TEST(OneLine, ControlCharactersBecomeBlanks) {
  EXPECT_EQ(one_line("a\tb\x1b[31mc\x7f", 100), "a b [31mc ");
}

TEST(OneLine, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(one_line("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80", 100), "grüß € 😀");
  EXPECT_EQ(one_line("\xFFx\xC3", 100), "\uFFFDx\uFFFD");
  EXPECT_EQ(one_line("\xC0\xAF", 100), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(one_line("\xED\xA0\x80", 100), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(one_line("\xF4\x90\x80\x80", 4), "\uFFFD");            // beyond the last character
}

TEST(OneLine, IsCutBetweenCharacters) {
  EXPECT_EQ(one_line("aüb", 2), "a");
  EXPECT_EQ(one_line("aüb", 3), "aü");
  EXPECT_EQ(one_line("aüb", 0), "");
}

/// A reader of its own: whether a text is UTF-8, by decoding it to numbers.
bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const size_t more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : 3;
    if (more == 3 && first >> 3 != 30) return false;
    uint32_t code = more == 0 ? first : first & (0x3Fu >> more);
    for (size_t i = 1; i <= more; ++i) {
      if (at + i >= text.size() || (text[at + i] & 0xC0) != 0x80) return false;
      code = code << 6 | (text[at + i] & 0x3Fu);
    }
    const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    at += more + 1;
  }
  return true;
}

/// Whole and broken keys, values and bytes in any order: nothing may come of it but what is meant.
std::string random_message(std::mt19937& chance) {
  static const char* const kPieces[] = {
      "READY=1",   "STATUS=",    "MAINPID=", "WATCHDOG=", "trigger", "WATCHDOG_USEC=",
      "BARRIER=1", "ERRNO=",     "\n",       "\n",        "=",       "-1",
      "0",         "2147483648", "99",       "STOPPING=", "1",       "EXTEND_TIMEOUT_USEC="};
  std::string text;
  for (auto count = chance() % 12; count > 0; --count) {
    if (chance() % 3 == 0)
      text += static_cast<char>(chance() % 256);
    else
      text += kPieces[chance() % std::size(kPieces)];
  }
  return text;
}

TEST(NotifyMessage, AnyBytesAtAll) {
  std::mt19937 chance(20261122);
  int with_news = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string text = random_message(chance);
    const NotifyMessage message = parse_notify_message(text);
    with_news += message.news ? 1 : 0;
    ASSERT_LE(message.warnings.size(), 3u);
    ASSERT_FALSE(message.barrier && message.news);
    if (message.said.main_pid) {
      ASSERT_GT(*message.said.main_pid, 1);
    }
    if (message.said.service_errno) {
      ASSERT_GE(*message.said.service_errno, 0);
    }
    if (message.said.watchdog_interval) {
      ASSERT_GE(message.said.watchdog_interval->count(), 0);
    }
    if (message.said.extend_timeout) {
      ASSERT_GE(message.said.extend_timeout->count(), 0);
    }
    if (!message.said.status_text) continue;
    ASSERT_TRUE(is_utf8(*message.said.status_text));
    ASSERT_LE(message.said.status_text->size(), kNotifyStatusMax);
    ASSERT_EQ(message.said.status_text->find('\n'), std::string::npos);
  }
  EXPECT_GT(with_news, 10'000) << "the messages are no longer a mixture";
}

TEST(OneLine, AnyBytesAtAll) {
  std::mt19937 chance(7);
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (auto count = chance() % 40; count > 0; --count)
      text += static_cast<char>(chance() % 4 == 0 ? chance() % 128 : 128 + chance() % 128);
    const size_t most = chance() % 60;
    const std::string line = one_line(text, most);
    ASSERT_TRUE(is_utf8(line));
    ASSERT_LE(line.size(), most);
    if (is_utf8(text) && most >= text.size()) {
      std::string expected = text;
      for (char& c : expected)
        if ((c >= 0 && c < ' ') || c == 0x7f) c = ' ';
      ASSERT_EQ(line, expected);
    }
  }
}

}  // namespace
}  // namespace foster::manager
