// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/ontap_labels.h"

#include <gtest/gtest.h>

#include <random>

#include "fakes/nvme_fakes.h"

namespace ontapnvme::nvme {
namespace {

TEST(OntapLabelsTest, ReadsAllElements) {
  const auto labels = ParseOntapLabels(LabelPage()
                                           .Add(0x11, "svm1")
                                           .Add(0x12, "vm_100_disk_0")
                                           .Add(0x13, "vm_100_disk_0")
                                           .Add(0x14, "/vol/vm_100_disk_0/old_name")
                                           .page());
  ASSERT_TRUE(labels.has_value());
  EXPECT_EQ(labels->svm_name, "svm1");
  EXPECT_EQ(labels->volume_name, "vm_100_disk_0");
  EXPECT_EQ(labels->namespace_path, "/vol/vm_100_disk_0/old_name");
}

TEST(OntapLabelsTest, BuildsThePathWhereTheReleaseDoesNotGiveIt) {
  const auto labels = ParseOntapLabels(LabelPage::Of("svm1", "vol1", "ns1"));
  EXPECT_EQ(labels->namespace_path, "/vol/vol1/ns1");
}

TEST(OntapLabelsTest, SkipsUnknownElementsInAnyOrder) {
  const auto labels = ParseOntapLabels(LabelPage()
                                           .Add(0x13, "ns1")
                                           .Add(0x77, "whatever this is")
                                           .Add(0x12, "vol1")
                                           .AddRaw(0x78, 0, "")
                                           .Add(0x11, "svm1")
                                           .page());
  ASSERT_TRUE(labels.has_value());
  EXPECT_EQ(labels->svm_name, "svm1");
}

TEST(OntapLabelsTest, RefusesOtherInformationThanThatOfTheNamespace) {
  for (const std::uint8_t echo : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{15}}) {
    const auto page = LabelPage(echo).Add(0x11, "s").Add(0x12, "v").Add(0x13, "n").page();
    EXPECT_FALSE(ParseOntapLabels(page).has_value()) << int{echo};
  }
  // Only the low nibble is the echo.
  EXPECT_TRUE(ParseOntapLabels(LabelPage(0xF1).Add(0x11, "s").Add(0x12, "v").Add(0x13, "n").page())
                  .has_value());
}

TEST(OntapLabelsTest, RefusesAPageWithAMissingOrEmptyName) {
  EXPECT_FALSE(ParseOntapLabels(LabelPage().page()).has_value());
  EXPECT_FALSE(ParseOntapLabels(LabelPage::Of("", "vol1", "ns1")).has_value());
  EXPECT_FALSE(ParseOntapLabels(LabelPage::Of("svm1", "", "ns1")).has_value());
  EXPECT_FALSE(ParseOntapLabels(LabelPage::Of("svm1", "vol1", "")).has_value());
  EXPECT_FALSE(ParseOntapLabels(LabelPage().Add(0x11, "svm1").Add(0x13, "ns1").page()).has_value());
}

TEST(OntapLabelsTest, RefusesAnElementThatRunsPastTheEnd) {
  auto page = LabelPage().Add(0x11, "svm1").Add(0x12, "vol1").Add(0x13, "ns1");
  page.AddRaw(0x14, 0xFFFF, "/vol");
  EXPECT_FALSE(ParseOntapLabels(page.page()).has_value());
  EXPECT_FALSE(ParseOntapLabels(LabelPage().AddRaw(0x11, 1016, "svm1").page()).has_value());
}

TEST(OntapLabelsTest, EndsANameAtTheFirstByteThatNoNameHolds) {
  using namespace std::string_literals;
  const auto labels =
      ParseOntapLabels(LabelPage::Of("svm1\x01junk"s, "vol1\0more"s, "ns1 with blank"));
  EXPECT_EQ(labels->svm_name, "svm1");
  EXPECT_EQ(labels->volume_name, "vol1");
  EXPECT_EQ(labels->namespace_path, "/vol/vol1/ns1");
  EXPECT_FALSE(ParseOntapLabels(LabelPage::Of("\xff\xfe", "vol1", "ns1")).has_value());
}

TEST(OntapLabelsTest, CutsNamesThatAreTooLong) {
  EXPECT_EQ(ParseOntapLabels(LabelPage::Of(std::string(400, 's'), "v", "n"))->svm_name.size(),
            259U);
}

TEST(OntapLabelsTest, SurvivesShortAndRandomPages) {
  std::mt19937 random(4711);
  for (int round = 0; round < 2000; ++round) {
    Page page{};
    for (auto& byte : page) byte = static_cast<std::uint8_t>(random());
    page[16] = 1;
    const std::size_t length = random() % (page.size() + 1);
    (void)ParseOntapLabels(std::span(page).first(length));
    (void)ParseNamespaceDescriptors(std::span(page).first(length));
    (void)ParseModel(std::span(page).first(length));
  }
}

TEST(NamespaceDescriptorsTest, PrefersTheUuidWhereverItStands) {
  EXPECT_EQ(ParseNamespaceDescriptors(DescriptorPage({{2, TestUuid(9)}, {3, TestUuid(1)}})),
            TestUuid(1));
  EXPECT_EQ(ParseNamespaceDescriptors(DescriptorPage({{3, TestUuid(1)}, {2, TestUuid(9)}})),
            TestUuid(1));
  EXPECT_EQ(ParseNamespaceDescriptors(DescriptorPage({{2, TestUuid(9)}})), TestUuid(9));
}

TEST(NamespaceDescriptorsTest, SkipsOtherTypesAndOddLengths) {
  Page page{};
  page[0] = 1;  // EUI-64, 8 bytes
  page[1] = 8;
  page[12] = 4;  // command set, 1 byte
  page[13] = 1;
  const Page list = DescriptorPage({{3, TestUuid(5)}});
  std::copy_n(list.begin(), 20, page.begin() + 17);
  EXPECT_EQ(ParseNamespaceDescriptors(page), TestUuid(5));
  Page wrong_length{};
  wrong_length[0] = 3;
  wrong_length[1] = 4;
  EXPECT_EQ(ParseNamespaceDescriptors(wrong_length), std::nullopt);
  EXPECT_EQ(ParseNamespaceDescriptors(Page{}), std::nullopt);
  EXPECT_EQ(ParseNamespaceDescriptors(DescriptorPage({{3, Uuid()}})), std::nullopt) << "nil";
}

TEST(OntapModelTest, KnowsOntapByItsModel) {
  EXPECT_TRUE(IsOntapModel(ParseModel(ModelPage())));
  EXPECT_FALSE(IsOntapModel(ParseModel(ModelPage("NetApp E-Series"))));
  EXPECT_FALSE(IsOntapModel(ParseModel(ModelPage("Linux"))));
  EXPECT_EQ(ParseModel(ModelPage("Linux")), "Linux");
}

}  // namespace
}  // namespace ontapnvme::nvme
