// SPDX-License-Identifier: AGPL-3.0-or-later
// The array that the contract suite talks to: the simulator in a process of its own, or a real
// ONTAP when ONTAPNVME_TEST_ARRAY names its management address. For that one give as well
// ONTAPNVME_TEST_USERNAME, _PASSWORD, _SVM and _AGGREGATE (a cluster account; the SVM needs an NVMe
// service), and _CA, the file of the issuer's certificate, unless the node trusts it. Everything
// the suite makes there begins with "ontapnvme_contract_" and is removed again, but for one
// subsystem.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "http/curl_transport.h"
#include "ontap/consistency_group.h"
#include "ontap/disk_objects.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/recovery_queue.h"
#include "ontap/rest_client.h"
#include "ontap/snapshot.h"
#include "ontap/svm.h"

namespace ontapnvme::contract {

// Which array: a release of the simulator, answering changes at once or by jobs; or the real one.
struct Variant {
  const char* release;  // "real": the one of the environment
  bool has_jobs = false;
  // A switch of the simulator (sim/switches.h), and where it stands.
  std::string switch_name = {};
  std::string position = {};
};
std::ostream& operator<<(std::ostream& out, const Variant& variant);

// Where to find it, once it runs.
struct Address {
  std::string host;
  unsigned port = 443;
  std::string ca_file;
  std::string username = "admin";
  std::string password = "secret";
  std::string svm = "svm1";
  std::string aggregate = "aggr1";
};

// The simulator's process. It ends with this object.
class Simulator {
 public:
  explicit Simulator(const Variant& variant);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  const Address& address() const { return address_; }
  // One control command; fails the test when the simulator refuses it.
  nlohmann::json Control(const nlohmann::json& command);

 private:
  std::string folder_;
  pid_t process_ = -1;
  int control_ = -1;
  Address address_;
};

// A client of everything, with names of its own, which cleans up behind each test.
class ContractFixture : public ::testing::TestWithParam<Variant> {
 protected:
  void SetUp() override;
  void TearDown() override;

  bool IsReal() const { return simulator_ == nullptr; }
  ontap::Release release() const { return *rest_->release(); }
  static Deadline Budget() { return Deadline(SystemClock(), std::chrono::seconds(60)); }
  http::CurlOptions Options() const;

  std::string Name(const std::string& part) const { return prefix_ + part; }
  ontap::FlexVolSpec Spec(const std::string& part) const;
  // A volume, and one with a namespace of 64 MiB in it.
  Uuid MakeVolume(const std::string& part);
  ontap::NvmeNamespace MakeDisk(const std::string& part);
  // The subsystem of this suite, which stays.
  ontap::NvmeSubsystem Subsystem();

  Address address_;
  std::unique_ptr<Simulator> simulator_;
  std::string prefix_;
  Log log_;
  std::unique_ptr<http::CurlTransport> transport_;
  std::unique_ptr<ontap::RestClient> rest_;
  std::unique_ptr<ontap::Svms> svms_;
  std::unique_ptr<ontap::FlexVols> volumes_;
  std::unique_ptr<ontap::NvmeNamespaces> namespaces_;
  std::unique_ptr<ontap::NvmeSubsystems> subsystems_;
  std::unique_ptr<ontap::Snapshots> snapshots_;
  std::unique_ptr<ontap::ConsistencyGroups> groups_;
};

// The variants that every suite runs with.
std::vector<Variant> Variants();
std::string VariantName(const ::testing::TestParamInfo<Variant>& info);

// A fatal failure with the whole message of the error.
#define ASSERT_SUCCEEDS(expression)                        \
  do {                                                     \
    const auto& outcome_ = (expression);                   \
    ASSERT_TRUE(outcome_.ok()) << outcome_.error().Line(); \
  } while (false)
#define EXPECT_FAILS_WITH(expression, expected_code)                                \
  do {                                                                              \
    const auto& outcome_ = (expression);                                            \
    EXPECT_FALSE(outcome_.ok());                                                    \
    if (!outcome_.ok()) {                                                           \
      EXPECT_EQ(outcome_.error().code(), expected_code) << outcome_.error().Line(); \
    }                                                                               \
  } while (false)

}  // namespace ontapnvme::contract
