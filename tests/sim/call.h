// SPDX-License-Identifier: AGPL-3.0-or-later
// One REST call on its way through the array: what a handler gets and what it gives back.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "body_check.h"
#include "query.h"
#include "request.h"
#include "schema.h"
#include "world.h"

namespace ontapnvme::sim {

struct Call {
  World& world;
  const Request& request;
  Query query;
  const Account& account;
  std::string svm_uuid;                       // the only SVM that is visible; empty: all
  std::map<std::string, std::string> params;  // values of the path's placeholders

  const Release& release() const { return world.settings.release; }
  const std::string& Param(const std::string& name) const { return params.at(name); }
  bool Sees(const std::string& object_svm_uuid) const {
    return svm_uuid.empty() || object_svm_uuid == svm_uuid;
  }
  // An SVM account that is shown less of each object than one of the cluster.
  bool IsShownLess() const {
    return !account.svm_name.empty() && world.settings.switches.Is("svm_account_fields", "hidden");
  }
  nlohmann::json Body(const Model& model, Write write) const {
    return CheckBody(request.body, model, write, release(), query.ignore_unknown_fields);
  }
  // A writing call takes no parameters besides those its handler has taken out. Throws ApiError.
  void RequireNoMoreParams() const;
  // The SVM that the body names (`svm.name`, `svm.uuid`) or that the account or header implies.
  // Throws ApiError when there is none, it is unknown or not visible, or both disagree.
  Svm& RequireSvm(const nlohmann::json& body) const;
};

enum class Phase { kCheck, kApply };

struct Change {
  enum class Answer {
    kSync,   // 200 or 201 in every release
    kJob,    // 202 and a job, in every release
    kEither  // 202 only where the mode asks for it and the release documents it
  };

  Answer answer = Answer::kSync;
  bool is_create = false;
  std::string description;
  std::string svm_uuid;
  std::string location;          // of what a create makes; known before it exists
  const Model* model = nullptr;  // of the record; null when there is none
  // Checks what depends on the state of the array, then applies and returns the full record, if
  // any. It is run once to check when the call arrives and again in full when its job ends: the
  // array may have changed in between.
  std::function<nlohmann::json(Phase)> run;
};

struct Reply {
  int status = 200;
  nlohmann::json body;
  Headers headers;
  std::optional<Change> change;

  static Reply Of(nlohmann::json body) { return {200, std::move(body), {}, std::nullopt}; }
  static Reply To(Change change) { return {200, nullptr, {}, std::move(change)}; }
};

using Handler = std::function<Reply(Call&)>;

}  // namespace ontapnvme::sim
