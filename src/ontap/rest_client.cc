// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/rest_client.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/masked_text.h"
#include "ontap/json_fields.h"
#include "ontap/ontap_errors.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {
namespace {

// A collection that does not end after this many pages is not one of ours.
constexpr std::size_t kPagesMax = 1000;
// ONTAP's links repeat the query; the longest query of ours names some dozen volumes.
constexpr std::size_t kLinkBytesMax = 16 * 1024;
// The array is asked to hold a change this long before it answers with a job. ONTAP takes up to
// 120; a connection that is silent for longer is more likely broken than busy.
constexpr Duration kReturnTimeoutMax = std::chrono::seconds(20);
// What is kept of the budget for the way back of the answer.
constexpr Duration kAnswerReserve = std::chrono::seconds(1);
// A change that is not answered this long after the array should have: the answer is lost.
constexpr Duration kAnswerMargin = std::chrono::seconds(10);
// An array that answers a read does so within seconds; one that is busy may take up to 15 for a
// listing (NetApp, `return_timeout` of GET). So a read that was lost is repeated early, and waited for
// twice as long each time.
constexpr Duration kReadSilenceFirst = std::chrono::seconds(6);
// A job is seldom done at once and seldom longer than seconds; a finished one is forgotten by the
// array after 300 seconds (NetApp REST reference, cluster/jobs).
constexpr Duration kJobDelayFirst{100};
constexpr Duration kJobDelayMax{1000};

std::optional<std::uint64_t> ParseCode(const Json& holder, const std::string& key) {
  const auto member = holder.find(key);
  if (member == holder.end()) return std::nullopt;
  if (const auto* number = member->get_ptr<const Json::number_unsigned_t*>()) return *number;
  const auto* text = member->get_ptr<const std::string*>();  // "code" is a text of digits
  if (text == nullptr) return std::nullopt;
  std::uint64_t code = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), code);
  const bool is_whole = parsed.ec == std::errc() && parsed.ptr == text->data() + text->size();
  return is_whole ? std::optional(code) : std::nullopt;
}

std::string ParseMessage(const Json& holder) {
  const auto member = holder.find("message");
  const auto* text = member == holder.end() ? nullptr : member->get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

// {"error":{…}} where there is one. An answer that cannot be read is judged by its status alone.
ArrayError ParseError(const http::Response& response, std::string_view request,
                      const Deadline& deadline) {
  ArrayError parsed;
  parsed.http_status = response.status;
  const auto body = ParseJson(response.body, request, deadline);
  if (!body.ok()) return parsed;
  const auto error = body->find("error");
  if (error == body->end() || !error->is_object()) return parsed;
  parsed.code = ParseCode(*error, "code");
  parsed.message = ParseMessage(*error);
  return parsed;
}

// The outcome of a failed job: `error` since it exists, else `code` and `message` of the job.
ArrayError ParseJobFailure(const Json& job) {
  ArrayError parsed;
  const auto error = job.find("error");
  if (error != job.end() && error->is_object()) {
    parsed.code = ParseCode(*error, "code");
    parsed.message = ParseMessage(*error);
  }
  if (!parsed.code) parsed.code = ParseCode(job, "code");
  if (parsed.message.empty()) parsed.message = ParseMessage(job);
  return parsed;
}

Error TransportError(const Error& error, const std::string& name, const std::string& doing) {
  return error.Wrap("cannot " + doing).With("request", name);
}

Error Unreadable(const std::string& name, const char* why) {
  return Error(ErrorCode::kInternal, "cannot read the answer of the array")
      .Because(why)
      .With("request", name);
}

// A link is followed as it is (NetApp REST overview, "Paging"), but only to the API of the same
// host.
bool IsOwnApi(const std::string& target) {
  return target.size() <= kLinkBytesMax && target.rfind("/api/", 0) == 0 &&
         std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// How long the array is asked to hold a change, when `left` is what remains of the budget.
std::chrono::seconds ReturnTimeout(Duration left) {
  return std::chrono::duration_cast<std::chrono::seconds>(
      std::clamp(left - kAnswerReserve, Duration::zero(), kReturnTimeoutMax));
}

http::Request WireOf(const ReadRequest& request) {
  http::Request wire;
  wire.target = request.query.After(request.path);
  wire.silence_max = kReadSilenceFirst;
  return wire;
}

}  // namespace

// One try: either a document, or an error with its cause.
struct RestClient::Attempt {
  Json document;
  std::optional<Error> error;
  http::RetryCause cause = http::RetryCause::kFinal;
  std::optional<Duration> retry_after;

  static Attempt Failed(Error why, http::RetryCause cause_of_it = http::RetryCause::kFinal,
                        std::optional<Duration> wait = std::nullopt) {
    Attempt attempt;
    attempt.error = std::move(why);
    attempt.cause = cause_of_it;
    attempt.retry_after = wait;
    return attempt;
  }
};

RestClient::RestClient(http::Transport& transport, Log& log, http::Jitter jitter,
                       http::RetryPolicy retry_policy)
    : transport_(&transport), log_(&log), jitter_(std::move(jitter)), retry_policy_(retry_policy) {}

void RestClient::LogExchange(const std::string& name, const Result<http::Response>& answer,
                             Duration took) {
  const std::string outcome =
      answer.ok() ? std::to_string(answer->status) : std::string(ToString(answer.error().code()));
  log_->Trace(name + " " + outcome + " " + std::to_string(took.count()) + " ms");
}

void RestClient::NoteDate(const Result<http::Response>& answer, Clock& clock) {
  if (!answer.ok()) return;
  clock_ahead_.reset();
  if (!answer->date) return;
  clock_ahead_ = *answer->date - std::chrono::floor<std::chrono::seconds>(clock.WallTime());
}

Result<http::Response> RestClient::Exchange(const http::Request& request, const std::string& name,
                                            const Deadline& deadline) {
  const TimePoint start = deadline.clock().Now();
  auto answer = transport_->Perform(request, deadline);
  LogExchange(name, answer, std::chrono::duration_cast<Duration>(deadline.clock().Now() - start));
  NoteDate(answer, deadline.clock());
  return answer;
}

RestClient::Attempt RestClient::Refused(ArrayError refused, const std::string& name,
                                        const std::string& doing,
                                        std::optional<Duration> retry_after) {
  refused.message = MaskedText(std::move(refused.message), concealed_);
  auto judgement = Judge(refused, name, doing);
  return Attempt::Failed(std::move(judgement.error), judgement.cause, retry_after);
}

RestClient::Attempt RestClient::ReadOnce(const ReadRequest& request, Result<http::Response> answer,
                                         const Deadline& deadline) {
  const std::string name = request.Name();
  if (!answer.ok()) {
    return Attempt::Failed(TransportError(answer.error(), name, request.doing),
                           http::CauseOf(answer.error()));
  }
  if (answer->status != 200) {
    return Refused(ParseError(*answer, name, deadline), name, request.doing, answer->retry_after);
  }
  auto document = ParseJson(answer->body, name, deadline, &weight_);
  if (!document.ok()) return Attempt::Failed(document.error().Wrap("cannot " + request.doing));
  Attempt attempt;
  attempt.document = std::move(document).value();
  return attempt;
}

// `first`: the answer to a first try that was sent already.
Result<Json> RestClient::ReadUntilAnswered(const ReadRequest& request,
                                           std::optional<Result<http::Response>> first,
                                           const Deadline& deadline) {
  http::RetryLoop loop(retry_policy_, jitter_, /*is_idempotent=*/true, deadline);
  http::Request wire = WireOf(request);
  while (true) {
    auto answer =
        first ? *std::exchange(first, std::nullopt) : Exchange(wire, request.Name(), deadline);
    Attempt attempt = ReadOnce(request, std::move(answer), deadline);
    if (!attempt.error) return std::move(attempt.document);
    if (attempt.cause == http::RetryCause::kLost) wire.silence_max *= 2;
    if (!loop.TryAgain(attempt.cause, attempt.retry_after, *attempt.error)) {
      return *std::move(attempt.error);
    }
  }
}

Result<Json> RestClient::Read(const ReadRequest& request, const Deadline& deadline) {
  weight_ = 0;
  return ReadUntilAnswered(request, std::nullopt, deadline);
}

Result<std::vector<Json>> RestClient::FollowPages(const ReadRequest& request, Json first_page,
                                                  const Deadline& deadline) {
  std::vector<Json> records;
  std::set<std::string> seen;
  Json page = std::move(first_page);
  for (std::size_t pages = 1;; ++pages) {
    FieldReader fields(page, request.Name());
    const auto records_of_page = page.find("records");
    std::size_t count = 0;
    fields.ForEach("/records", [&](FieldReader&) { ++count; });
    const auto promised = fields.OptionalUint("/num_records");
    const std::string next = fields.OptionalText("/_links/next/href");
    TRY_STATUS(fields.status());
    // Fewer records than promised means that something on the way cut the list: a disk that is
    // missing from a list counts as deleted.
    if (promised.value_or(0) > count) return Unreadable(request.Name(), "records are missing");
    if (count > 0)
      std::move(records_of_page->begin(), records_of_page->end(), std::back_inserter(records));
    if (next.empty()) return records;

    if (!IsOwnApi(next)) return Unreadable(request.Name(), "its next page is elsewhere");
    if (!seen.insert(next).second) return Unreadable(request.Name(), "its pages go in a circle");
    if (pages >= kPagesMax) return Unreadable(request.Name(), "it has too many pages");
    const ReadRequest next_request{.path = next, .doing = request.doing};  // with its own query
    TRY(page, ReadUntilAnswered(next_request, std::nullopt, deadline));
  }
}

Result<std::vector<Json>> RestClient::List(const ReadRequest& request, const Deadline& deadline) {
  TRY(Json page, Read(request, deadline));
  return FollowPages(request, std::move(page), deadline);
}

Result<std::vector<std::vector<Json>>> RestClient::ListEach(
    const std::vector<ReadRequest>& requests, const Deadline& deadline) {
  weight_ = 0;
  std::vector<http::Request> wire;
  for (const auto& request : requests) wire.push_back(WireOf(request));
  const TimePoint start = deadline.clock().Now();
  auto answers = transport_->PerformAll(wire, deadline);
  const auto took = std::chrono::duration_cast<Duration>(deadline.clock().Now() - start);

  std::vector<std::vector<Json>> lists;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    LogExchange(requests[i].Name(), answers[i], took);
    NoteDate(answers[i], deadline.clock());
    TRY(Json page, ReadUntilAnswered(requests[i], std::move(answers[i]), deadline));
    TRY(auto records, FollowPages(requests[i], std::move(page), deadline));
    lists.push_back(std::move(records));
  }
  return lists;
}

// Sends the change once and waits for its job, if it becomes one. What the change left behind goes
// into `answer`; the attempt's own document stays empty.
RestClient::Attempt RestClient::ChangeOnce(const ChangeRequest& request, ChangeAnswer& answer,
                                           const Deadline& deadline) {
  const std::string name = request.Name();
  http::Request wire;
  wire.method = request.method;
  http::Query query = request.query;
  // What is synchronous may take as long as the array would hold another change.
  wire.silence_max = kReturnTimeoutMax + kAnswerMargin;
  if (request.takes_return_timeout) {
    const auto held = ReturnTimeout(deadline.Remaining());
    query.Add("return_timeout", std::to_string(held.count()));
    wire.silence_max = held + kAnswerMargin;
  }
  wire.target = query.After(request.path);
  wire.body = request.body;
  wire.is_idempotent = request.is_idempotent;
  const auto response = Exchange(wire, name, deadline);
  WipeText(wire.body);
  if (!response.ok()) {
    return Attempt::Failed(TransportError(response.error(), name, request.doing),
                           http::CauseOf(response.error()));
  }
  if (response->status < 200 || response->status > 202) {
    return Refused(ParseError(*response, name, deadline), name, request.doing,
                   response->retry_after);
  }

  // It was carried out, or will be: what cannot be read from here on leaves the outcome open.
  answer.location = response->location;
  Attempt attempt;
  if (response->body.empty()) return attempt;
  auto document = ParseJson(response->body, name, deadline);
  if (!document.ok()) {
    return Attempt::Failed(document.error().Wrap("cannot " + request.doing).OutcomeUnknown());
  }
  FieldReader fields(*document, name);
  const std::string job = fields.OptionalText("/job/uuid");
  std::size_t count = 0;
  fields.ForEach("/records", [&](FieldReader&) { ++count; });
  if (!fields.status().ok()) {
    return Attempt::Failed(
        fields.status().error().Wrap("cannot " + request.doing).OutcomeUnknown());
  }
  if (count > 0) answer.records = (*document)["records"].get<std::vector<Json>>();
  // A job that ended within return_timeout answers 200 or 201, with the job still in the body.
  if (response->status != 202 || job.empty()) return attempt;
  return WaitForJob(request, job, deadline);
}

RestClient::Attempt RestClient::WaitForJob(const ChangeRequest& request, const std::string& job,
                                           const Deadline& deadline) {
  const std::string jobs = "/api/cluster/jobs";
  ReadRequest read{.path = jobs + "/" + http::PathSegment(job), .doing = request.doing};
  read.query.Add("fields", "state,message,code,error");
  const auto open = [&](const Error& error) {
    return Attempt::Failed(Error(error).With("job", CleanText(job)).OutcomeUnknown());
  };
  Duration delay = kJobDelayFirst;
  while (true) {
    const Status waited = deadline.Sleep(delay, "waiting for a job of the array");
    if (!waited.ok()) {
      return open(waited.error().Wrap("cannot " + request.doing).With("request", request.Name()));
    }
    delay = std::min(delay * 2, kJobDelayMax);

    auto state = Read(read, deadline);
    if (FailedWith(state, ErrorCode::kNotFound)) {
      // The array forgets finished jobs: this one ended, and only the object shows how.
      Error gone = Error(ErrorCode::kUnavailable, "cannot " + request.doing)
                       .Because("the array has forgotten the outcome of its job")
                       .With("request", request.Name())
                       .With("job_state", "gone");
      Attempt attempt = open(gone);
      attempt.cause = http::RetryCause::kLost;
      return attempt;
    }
    if (FailedWith(state, ErrorCode::kPermissionDenied)) {
      Origin origin = state.error().origin();
      origin.refusal = Refusal::kJobUnseen;
      const Error unseen = Error(ErrorCode::kPermissionDenied, "cannot " + request.doing)
                               .Because("the array does it in a job that the account may not read")
                               .With("request", request.Name())
                               .Try("give the role of the account access 'readonly' to " + jobs)
                               .From(origin);
      if (on_unseen_job_) on_unseen_job_(unseen, deadline.clock());
      return open(unseen);
    }
    if (!state.ok()) return open(state.error());
    FieldReader fields(*state, read.Name());
    const std::string word = fields.RequireText("/state");
    if (!fields.status().ok()) return open(fields.status().error());
    if (word == "success") return Attempt();
    if (word != "failure") continue;  // queued, running, paused: not final
    Attempt failed = Refused(ParseJobFailure(*state), request.Name(), request.doing, std::nullopt);
    failed.error->AddFact("job", CleanText(job));
    return failed;
  }
}

Result<ChangeAnswer> RestClient::Change(ChangeRequest request, const Deadline& deadline) {
  http::RetryLoop loop(retry_policy_, jitter_, request.is_idempotent, deadline);
  while (true) {
    ChangeAnswer answer;
    Attempt attempt = ChangeOnce(request, answer, deadline);
    const bool is_over =
        !attempt.error || !loop.TryAgain(attempt.cause, attempt.retry_after, *attempt.error);
    if (!is_over) continue;
    WipeText(request.body);
    if (attempt.error) return *std::move(attempt.error);
    return answer;
  }
}

}  // namespace ontapnvme::ontap
