// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_activation.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class VolumeActivationTest : public OperationsTest {
 protected:
  VolumeActivationTest() {
    Connect();
    uuid = world.AddDisk("vm-100-disk-0").uuid;
  }
  Result<std::string> Activate() {
    return operations.volume_activation.ActivateVolume(Name("vm-100-disk-0"), Budget());
  }
  Status Resize(ByteCount size) {
    return operations.volume_activation.Resize(Name("vm-100-disk-0"), size.bytes(), Budget());
  }
  void BeSilent() { world.silence = Silence(); }

  Uuid uuid;
};

// ---- activated

TEST_F(VolumeActivationTest, FailureLeavesNoLink) {
  ASSERT_TRUE(Succeeds(Activate()));
  elsewhere.insert(uuid);
  EXPECT_FALSE(Activate().ok());
  EXPECT_FALSE(node.links.Target("vm-100-disk-0")) << "what it led to is not proven any more";
}

TEST_F(VolumeActivationTest, KernelNameIsNeverLinkedTo) {
  has_udev = false;
  const auto failed = Activate();
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().Line(), HasSubstr("udev"));
  EXPECT_FALSE(node.links.Target("vm-100-disk-0"));
}

TEST_F(VolumeActivationTest, LinkIsPointedAtTheProvenDevice) {
  const auto path = Activate();
  ASSERT_TRUE(Succeeds(path));
  EXPECT_EQ(*path, folder / "links/tank/vm-100-disk-0");
  EXPECT_EQ(LinkOf("vm-100-disk-0"), DevicePath(uuid));
  EXPECT_EQ(host.waits, 0) << "what is there is not waited for";
  EXPECT_TRUE(Succeeds(Activate())) << "idempotent";
}

TEST_F(VolumeActivationTest, DeviceThatIsNotThereGetsNoLink) {
  hidden.insert(uuid);
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kDeviceMissing));
  EXPECT_EQ(host.waits, 1);
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, DeviceOfAnotherSizeGetsNoLink) {
  size_shown[uuid] = GiB(2);
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kConflict));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, DeviceOfAnotherSubsystemGetsNoLink) {
  elsewhere.insert(uuid);
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kConflict));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, DeviceWithoutALivePathGetsNoLink) {
  live_paths = 0;
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, UnmappedDiskIsMappedAgain) {
  world.Disk("vm-100-disk-0")->mapping = Mapping::kNone;
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kHere);
  EXPECT_THAT(TakeLines(LogLevel::kInfo), ElementsAre(HasSubstr("was not mapped")));
}

TEST_F(VolumeActivationTest, MissingPathsAreMadeFirst) {
  host.controllers.clear();
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_EQ(host.controllers.size(), 2U);
}

TEST_F(VolumeActivationTest, DiskThatIsMappedElsewhereIsLeftThere) {
  world.Disk("vm-100-disk-0")->mapping = Mapping::kElsewhere;
  world.Disk("vm-100-disk-0")->mapped_to = "esx";
  const auto activated = Activate();
  ASSERT_TRUE(FailedWith(activated, ErrorCode::kConflict));
  EXPECT_EQ(activated.error().Fact("mapped_to"), "esx");
  EXPECT_THAT(world.TakeCalls(), Contains("RefreshTarget")) << "the subsystem may be a new one";
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kElsewhere);
}

TEST_F(VolumeActivationTest, DiskThatTheArrayDoesNotServeSaysWhy) {
  world.Disk("vm-100-disk-0")->fault = Error(ErrorCode::kUnavailable, "the volume is offline");
  const auto activated = Activate();
  ASSERT_TRUE(FailedWith(activated, ErrorCode::kUnavailable));
  EXPECT_THAT(activated.error().Line(), HasSubstr("the volume is offline"));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, MissingDiskIsNotFoundAlsoIfItIsRemembered) {
  node.disks.Remember(Name("vm-100-disk-0"), uuid);
  world.Erase(uuid);
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kNotFound));
  world.AddForeign("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kNotFound)) << "another owner's";
}

// ---- while the array is silent

TEST_F(VolumeActivationTest, RememberedDiskIsActivatedWhileTheArrayIsSilent) {
  node.disks.Remember(Name("vm-100-disk-0"), uuid);
  BeSilent();
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), DevicePath(uuid));
  EXPECT_THAT(TakeLines(LogLevel::kWarning), ElementsAre(HasSubstr("does not answer")));
}

TEST_F(VolumeActivationTest, SlowArrayIsWaitedForFiveSecondsWhereTheDiskIsRemembered) {
  world.DuringNext("FindNamespace", [&] { clock.Advance(std::chrono::seconds(5)); });
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty()) << "there is nothing else to be done";
  node.disks.Remember(Name("vm-100-disk-0"), uuid);
  world.DuringNext("FindNamespace", [&] { clock.Advance(std::chrono::seconds(5)); });
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_THAT(TakeLines(LogLevel::kWarning), ElementsAre(HasSubstr("does not answer")));
}

TEST_F(VolumeActivationTest, SilentArrayIsAnErrorForADiskThatIsNotRemembered) {
  BeSilent();
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, RememberedDiskWithoutADeviceIsAnError) {
  node.disks.Remember(Name("vm-100-disk-0"), uuid);
  BeSilent();
  hidden.insert(uuid);
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
  hidden.clear();
  elsewhere.insert(uuid);
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(VolumeActivationTest, WithoutARememberedSubsystemASilentArrayIsAnError) {
  node.disks.Remember(Name("vm-100-disk-0"), uuid);
  array.Forget();
  BeSilent();
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
}

TEST_F(VolumeActivationTest, RefusalIsAnAnswerAndNoSilence) {
  node.disks.Remember(Name("vm-100-disk-0"), uuid);
  world.FailNext("FindNamespace", Error(ErrorCode::kUnauthenticated, "wrong password"));
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnauthenticated));
  world.FailNext("FindNamespace", Error(ErrorCode::kInterrupted, "stopped"));
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kInterrupted));
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

// ---- deactivated

TEST_F(VolumeActivationTest, DeactivatedDiskIsFlushedAndLosesItsLink) {
  ASSERT_TRUE(Succeeds(Activate()));
  (void)world.TakeCalls();
  ASSERT_TRUE(Succeeds(operations.volume_activation.DeactivateVolume(Name("vm-100-disk-0"))));
  EXPECT_EQ(host.flushed[DevicePath(uuid)], 1);
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
  EXPECT_THAT(world.TakeCalls(), IsEmpty()) << "also while the array is away";
}

TEST_F(VolumeActivationTest, DeactivatingWhatIsNotActiveSucceeds) {
  EXPECT_TRUE(Succeeds(operations.volume_activation.DeactivateVolume(Name("vm-100-disk-0"))));
  EXPECT_THAT(host.flushed, IsEmpty());
}

// ---- resized

TEST_F(VolumeActivationTest, GrownDiskIsWaitedForWhereItIsActive) {
  ASSERT_TRUE(Succeeds(Resize(GiB(2))));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->size, GiB(2));
  EXPECT_EQ(host.waits, 1);
}

TEST_F(VolumeActivationTest, GrownDiskIsNotWaitedForWhereItHasNoDevice) {
  hidden.insert(uuid);
  ASSERT_TRUE(Succeeds(Resize(GiB(2))));
  EXPECT_EQ(host.waits, 0);
}

TEST_F(VolumeActivationTest, SizeIsRoundedUpToABlock) {
  ASSERT_TRUE(Succeeds(Resize(ByteCount{GiB(2).bytes() + 1})));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->size, ByteCount{GiB(2).bytes() + 4096});
}

TEST_F(VolumeActivationTest, SameSizeIsNoError) {
  EXPECT_TRUE(Succeeds(Resize(GiB(1))));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->size, GiB(1));
}

TEST_F(VolumeActivationTest, DiskNeverShrinksNorGrowsBeyondTheLargest) {
  EXPECT_TRUE(FailedWith(Resize(MiB(1)), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(Resize(ByteCount{0}), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(Resize(GiB(128 * 1024 + 1)), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(Resize(ByteCount{~std::uint64_t{0}}), ErrorCode::kInvalidArgument));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->size, GiB(1));
  EXPECT_THAT(world.TakeCalls(), Not(Contains(HasSubstr("Grow"))));
}

TEST_F(VolumeActivationTest, DiskThatCouldNotGrowSaysSo) {
  world.FailNext("Grow", Error(ErrorCode::kNoSpace, "full"));
  const auto resized = Resize(GiB(2));
  ASSERT_TRUE(FailedWith(resized, ErrorCode::kNoSpace));
  EXPECT_EQ(resized.error().sentence(), "cannot resize volume 'vm-100-disk-0'");
}

TEST_F(VolumeActivationTest, NodeThatDoesNotShowTheNewSizeSaysSo) {
  size_shown[uuid] = GiB(1);
  const auto resized = Resize(GiB(2));
  ASSERT_FALSE(resized.ok());
  EXPECT_THAT(resized.error().sentence(), HasSubstr("was resized"));
}

TEST_F(VolumeActivationTest, MissingDiskIsNotResized) {
  world.Erase(uuid);
  EXPECT_TRUE(FailedWith(Resize(GiB(2)), ErrorCode::kNotFound));
  world.AddHalfMade("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(Resize(GiB(2)), ErrorCode::kNotFound));
}

}  // namespace
}  // namespace ontapnvme::pve
