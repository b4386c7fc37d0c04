// SPDX-License-Identifier: AGPL-3.0-or-later
#include "array.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <regex>

#include "initial_state.h"
#include "listing.h"
#include "ransomware.h"
#include "roles.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kFlexVolRefused = 918701;
constexpr int kJobFailed = 460770;

Outcome JsonOutcome(int status, const json& body, Headers headers = {}) {
  Outcome outcome;
  outcome.status = status;
  outcome.headers = std::move(headers);
  outcome.headers.emplace_back("Content-Type", "application/hal+json");
  if (!body.is_null()) outcome.body = body.dump(2) + "\n";
  return outcome;
}

Outcome ErrorOutcome(const ApiError& error) {
  json body;
  body["error"]["message"] = error.message();
  body["error"]["code"] = std::to_string(error.code());
  if (!error.target().empty()) body["error"]["target"] = error.target();
  return JsonOutcome(error.status(), body);
}

// Whether the path fits, with the values of the placeholders.
bool MatchPath(const std::string& pattern, const std::vector<std::string>& path,
               std::map<std::string, std::string>* params) {
  params->clear();
  std::size_t from = 0;
  for (const std::string& segment : path) {
    if (from > pattern.size()) return false;
    const auto slash = std::min(pattern.find('/', from), pattern.size());
    const std::string expected = pattern.substr(from, slash - from);
    from = slash + 1;
    if (!expected.empty() && expected.front() == '{') {
      (*params)[expected.substr(1, expected.size() - 2)] = segment;
    } else if (expected != segment) {
      return false;
    }
  }
  return from == pattern.size() + 1;
}

bool IsReading(const std::string& method) {
  return method == "GET" || method == "HEAD";
}

bool IsAboutJobs(const Request& request) {
  return request.target.rfind("/api/cluster/jobs", 0) == 0;
}

// The listing without its last `missing` records, and nothing that says so. What is no listing stays.
void Shorten(std::size_t missing, Outcome* outcome) {
  json body = json::parse(outcome->body, nullptr, false);
  if (outcome->status != 200 || !body.is_object() || !body.contains("records")) return;
  auto& records = body["records"].get_ref<json::array_t&>();
  records.resize(records.size() - std::min(missing, records.size()));
  body["num_records"] = records.size();
  if (records.empty()) body["_links"].erase("next");
  outcome->body = body.dump(2) + "\n";
}

// Who tests are when they look past everything.
const Account& Administrator() {
  static const Account kAdministrator{"control", "", "", {}};
  return kAdministrator;
}

}  // namespace

std::string HeaderValue(const Headers& headers, const std::string& name) {
  const auto same = [](unsigned char left, unsigned char right) {
    return std::tolower(left) == std::tolower(right);
  };
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(), same)) return value;
  }
  return {};
}

std::string BasicAuthorization(const std::string& name, const std::string& password) {
  const std::string plain = name + ":" + password;
  std::string encoded(4 * ((plain.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(plain.data()),
                                     static_cast<int>(plain.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return "Basic " + encoded;
}

Array::Array(Parts parts, const json& config)
    : world_(parts.blocks, parts.fabric, std::move(parts.clock), parts.seed), jobs_(&world_) {
  FillInitialState(&world_, config);
  AddClusterRoutes(&routes_);
  AddMultiAdminRoutes(&routes_);
  AddJobRoutes(&routes_, &jobs_);
  AddSvmRoutes(&routes_);
  AddInterfaceRoutes(&routes_);
  AddNvmeServiceRoutes(&routes_);
  AddAggregateRoutes(&routes_);
  AddQosPolicyRoutes(&routes_);
  AddSnapshotPolicyRoutes(&routes_);
  AddVolumeRoutes(&routes_);
  AddRecoveryQueueRoutes(&routes_);
  AddSnapshotRoutes(&routes_);
  AddNamespaceRoutes(&routes_);
  AddLunRoutes(&routes_);
  AddSubsystemRoutes(&routes_);
  AddSubsystemControllerRoutes(&routes_);
  AddSubsystemHostRoutes(&routes_);
  AddSubsystemMapRoutes(&routes_);
  AddConsistencyGroupRoutes(&routes_);
  AddGroupSnapshotRoutes(&routes_);
}

Outcome Array::Handle(const Request& request) {
  const auto begin = std::chrono::steady_clock::now();
  if (!IsAboutJobs(request)) jobs_.FinishAll();
  jobs_.Expire();
  world_.FinishSplits();
  world_.FinishMoves();
  TendProtection(world_);
  world_.BringClonesOnline();

  const FaultRule* fault = faults_.Match(request);
  Outcome outcome;
  if (fault == nullptr || fault->is_applied || fault->kind == FaultKind::kJobFailure) {
    try {
      outcome = Process(request, Authenticate(request), fault);
    } catch (const ApiError& error) {
      outcome = ErrorOutcome(error);
    }
  }
  if (fault != nullptr) outcome = Spoil(*fault, std::move(outcome));
  if (world_.settings.switches.Is("date_header", "sent")) {
    outcome.headers.emplace_back("Date",
                                 World::HttpDate(world_.Now() + world_.settings.clock_ahead));
  }
  outcome.delay += world_.settings.latency;
  if (request.method == "HEAD") outcome.body.clear();
  journal_.Record(request, outcome,
                  std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - begin));
  return outcome;
}

Outcome Array::HandleAsAdmin(const Request& request) {
  if (!IsAboutJobs(request)) jobs_.FinishAll();
  try {
    return Process(request, Administrator(), nullptr);
  } catch (const ApiError& error) {
    return ErrorOutcome(error);
  }
}

const Account& Array::Authenticate(const Request& request) const {
  const std::string authorization = HeaderValue(request.headers, "Authorization");
  for (const Account& account : world_.accounts) {
    if (authorization == BasicAuthorization(account.name, account.password)) return account;
  }
  throw ApiError(401, code::kNotAuthorised, "User is not authorized.", "uname");
}

// The SVM a call is limited to: the account's, or the one that a cluster account asks for.
std::string Array::ScopeOf(const Account& account, const Request& request) {
  const std::string name = HeaderValue(request.headers, "X-Dot-SVM-Name");
  const std::string uuid = HeaderValue(request.headers, "X-Dot-SVM-UUID");
  const Svm* own = account.svm_name.empty() ? nullptr : world_.FindSvm(account.svm_name);
  if (name.empty() && uuid.empty()) return own == nullptr ? std::string() : own->uuid;
  const Svm* asked = uuid.empty() ? world_.FindSvm(name) : world_.svms.Find(uuid);
  if (asked == nullptr || (own != nullptr && own != asked)) {
    Refuse(code::kSvmNotVisible, "The SVM does not exist or is not accessible to this user");
  }
  return asked->uuid;
}

Outcome Array::Process(const Request& request, const Account& account, const FaultRule* fault) {
  if ((IsReading(request.method) || request.method == "DELETE") && !request.body.empty()) {
    Refuse(code::kBodyNotAllowed, "The request must not have a body");
  }
  return Dispatch(request, account, fault);
}

Outcome Array::Dispatch(const Request& request, const Account& account, const FaultRule* fault) {
  Call call{world_, request, Query::Parse(request.target), account, "", {}};
  // The parameter is as unknown to older releases as what it stands for.
  if (call.query.names_ignore_unknown_fields && !call.release().Has(11)) {
    Refuse(code::kUnexpectedArgument, "Unexpected argument \"ignore_unknown_fields\".",
           "ignore_unknown_fields");
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const std::string path = request.target.substr(0, request.target.find('?'));
  bool is_path_known = false;
  for (const Route& route : routes_) {
    if (!MatchPath(route.pattern, call.query.path, &call.params)) continue;
    is_path_known = true;
    if (route.method != method) continue;

    const bool is_denied =
        (&account != &Administrator() && !MayCall(world_, method, path)) ||
        std::any_of(account.denied.begin(), account.denied.end(), [&](const std::string& pattern) {
          return std::regex_match(method + " " + path, std::regex(pattern));
        });
    const bool is_hidden = route.access == Access::kCluster && !account.svm_name.empty();
    if (is_hidden && IsShownEmpty(request)) {
      return JsonOutcome(200, {{"records", json::array()}, {"num_records", 0}});
    }
    if (is_denied || is_hidden) RefuseForbidden(world_);
    if (route.platform == Platform::kFlexVol &&
        world_.settings.personality == Personality::kAsaR2) {
      throw ApiError(400, kFlexVolRefused, "This operation is not supported on this platform");
    }
    call.svm_uuid = ScopeOf(account, request);
    return Complete(call, route.handler(call), fault);
  }
  if (is_path_known) throw ApiError(405, code::kUnsupported, "Operation is not supported");
  RefuseMissing(code::kUnsupported, "API not found");
}

bool Array::GoesAsynchronous(const Change& change, const Query& query) const {
  const AsyncMode mode = world_.settings.async;
  const std::chrono::seconds patience(query.return_timeout_s.value_or(0));
  const bool waits = patience.count() > 0 && patience >= world_.settings.job_time;
  switch (change.answer) {
    case Change::Answer::kSync:
      return false;
    case Change::Answer::kJob:
      return mode == AsyncMode::kAlways ||
             (mode == AsyncMode::kAuto &&
              (!waits || world_.settings.switches.Is("job_answers", "later")));
    case Change::Answer::kEither:
      return mode == AsyncMode::kAlways && !waits;
  }
  return false;
}

// What of the cluster an SVM account is not refused, but not shown either.
bool Array::IsShownEmpty(const Request& request) const {
  return request.target.rfind("/api/storage/aggregates", 0) == 0 &&
         world_.settings.switches.Is("svm_account_aggregates", "empty");
}

Outcome Array::Complete(const Call& call, Reply reply, const FaultRule* fault) {
  if (!reply.change) return JsonOutcome(reply.status, reply.body, std::move(reply.headers));
  Change change = std::move(*reply.change);
  const bool is_later = GoesAsynchronous(change, call.query);
  if (!is_later || !world_.settings.are_errors_in_jobs) change.run(Phase::kCheck);
  if (is_later) return CompleteLater(std::move(change), fault);
  const bool is_job = change.answer == Change::Answer::kJob;
  return CompleteNow(call, std::move(change), fault, is_job);
}

Outcome Array::CompleteNow(const Call& call, Change change, const FaultRule* fault, bool is_job) {
  if (fault != nullptr && fault->kind == FaultKind::kJobFailure) {
    const int failure_code = fault->code != 0 ? fault->code : kJobFailed;
    throw ApiError(500, failure_code, fault->message);
  }
  const json record = change.run(Phase::kApply);
  json body = json::object();
  if (is_job) {
    Job job;
    job.uuid = world_.NewUuid();
    job.svm_uuid = change.svm_uuid;
    job.description = change.description;
    job.state = job.message = "success";
    job.start_time = world_.Now();
    job.end_time = job.start_time;
    body["job"]["uuid"] = job.uuid;
    body["job"]["_links"]["self"]["href"] = "/api/cluster/jobs/" + job.uuid;
    jobs_.Add(std::move(job));
  }
  const bool is_shown = !is_job || world_.settings.switches.Is("job_records", "show");
  if (is_shown && change.model != nullptr && call.query.return_records.value_or(false) &&
      !record.is_null()) {
    body["num_records"] = 1;
    body["records"] = json::array({CreatedRecord(call, *change.model, record)});
  }
  Headers headers;
  if (!change.location.empty()) headers.emplace_back("Location", change.location);
  Outcome outcome = JsonOutcome(change.is_create ? 201 : 200, body, std::move(headers));
  if (is_job) outcome.delay += world_.settings.job_time;
  return outcome;
}

Outcome Array::CompleteLater(Change change, const FaultRule* fault) {
  Job job;
  job.uuid = world_.NewUuid();
  job.svm_uuid = change.svm_uuid;
  job.description = change.description;
  job.start_time = world_.Now();
  job.polls_left = world_.settings.job_polls;
  job.run = std::move(change.run);
  if (fault != nullptr) {
    if (fault->kind == FaultKind::kJobSlow) job.polls_left = fault->job_polls;
    job.vanishes = fault->kind == FaultKind::kJobVanishes;
    if (fault->kind == FaultKind::kJobFailure) {
      job.failure = ApiError(500, fault->code != 0 ? fault->code : kJobFailed, fault->message);
    }
  }
  json body;
  body["job"]["uuid"] = job.uuid;
  body["job"]["_links"]["self"]["href"] = "/api/cluster/jobs/" + job.uuid;
  Headers headers;
  if (!change.location.empty()) headers.emplace_back("Location", change.location);
  const bool is_immediate = job.polls_left <= 0;
  Job& added = jobs_.Add(std::move(job));
  if (is_immediate) jobs_.Poll(&added);
  return JsonOutcome(202, body, std::move(headers));
}

Outcome Array::Spoil(const FaultRule& fault, Outcome outcome) const {
  outcome.delay += fault.delay;
  switch (fault.kind) {
    case FaultKind::kStatus: {
      json body;
      body["error"]["message"] = fault.message;
      body["error"]["code"] = std::to_string(fault.code);
      // Without a code it is not ONTAP that answers but something in front of it.
      Outcome failed = fault.code != 0 ? JsonOutcome(fault.status, body) : Outcome{};
      failed.status = fault.status;
      failed.delay = outcome.delay;
      if (fault.code == 0) failed.body = "<html><body>" + fault.message + "</body></html>";
      if (fault.retry_after_s) {
        failed.headers.emplace_back("Retry-After", std::to_string(*fault.retry_after_s));
      }
      return failed;
    }
    case FaultKind::kNeverAnswer:
      outcome.delivery = Delivery::kNeverAnswered;
      break;
    case FaultKind::kDropBefore:
      outcome.delivery = Delivery::kDropBefore;
      break;
    case FaultKind::kDropAfter:
      outcome.delivery = Delivery::kDropAfter;
      break;
    case FaultKind::kTruncated:
      outcome.delivery = Delivery::kTruncated;
      break;
    case FaultKind::kMalformed:
      outcome.body = "{\"records\": [ {\"uuid\": \"1";
      break;
    case FaultKind::kHuge:
      outcome.body = "{\"padding\": \"" + std::string(fault.body_bytes, 'x');
      break;
    case FaultKind::kRedirect:
      outcome.status = 302;
      outcome.body.clear();
      outcome.headers.emplace_back("Location", fault.location);
      break;
    case FaultKind::kEmpty:
      Shorten(std::string::npos, &outcome);
      break;
    case FaultKind::kShort:
      Shorten(fault.records_missing, &outcome);
      break;
    case FaultKind::kDelay:
    case FaultKind::kJobFailure:
    case FaultKind::kJobVanishes:
    case FaultKind::kJobSlow:
      break;
  }
  return outcome;
}

}  // namespace ontapnvme::sim
