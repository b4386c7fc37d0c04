// SPDX-License-Identifier: AGPL-3.0-or-later
#include "memory_store.h"

#include <algorithm>
#include <stdexcept>

namespace ontapnvme::sim {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

}  // namespace

MemoryStore::Content& MemoryStore::Require(std::map<std::string, Content>& from,
                                           const std::string& id) {
  const auto found = from.find(id);
  if (found == from.end()) throw std::runtime_error("no content '" + id + "'");
  return found->second;
}

void MemoryStore::Create(const std::string& ns, std::uint64_t size_bytes) {
  namespaces_[ns] = Content{size_bytes, {}};
}

void MemoryStore::Resize(const std::string& ns, std::uint64_t size_bytes) {
  Content& content = Require(namespaces_, ns);
  content.size_bytes = size_bytes;
  content.pages.erase(content.pages.lower_bound((size_bytes + kPageBytes - 1) / kPageBytes),
                      content.pages.end());
}

void MemoryStore::Remove(const std::string& ns) {
  namespaces_.erase(ns);
}

void MemoryStore::Save(const std::string& ns, const std::string& image) {
  images_[image] = Require(namespaces_, ns);
}

void MemoryStore::DropImage(const std::string& image) {
  images_.erase(image);
}

void MemoryStore::Restore(const std::string& image, const std::string& ns) {
  namespaces_[ns] = Require(images_, image);
}

void MemoryStore::Clone(const std::string& image, const std::string& new_ns) {
  namespaces_[new_ns] = Require(images_, image);
}

std::string MemoryStore::Read(const std::string& ns, std::uint64_t offset, std::size_t length) {
  const Content& content = Require(namespaces_, ns);
  if (offset >= content.size_bytes) return {};
  std::string bytes(std::min<std::uint64_t>(length, content.size_bytes - offset), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto page = content.pages.find((offset + i) / kPageBytes);
    if (page != content.pages.end()) bytes[i] = page->second[(offset + i) % kPageBytes];
  }
  return bytes;
}

void MemoryStore::Write(const std::string& ns, std::uint64_t offset, const std::string& bytes) {
  Content& content = Require(namespaces_, ns);
  if (offset + bytes.size() > content.size_bytes) throw std::runtime_error("write beyond the end");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string& page = content.pages[(offset + i) / kPageBytes];
    page.resize(kPageBytes);
    page[(offset + i) % kPageBytes] = bytes[i];
  }
}

std::uint64_t MemoryStore::AllocatedBytes(const std::string& ns) {
  return Require(namespaces_, ns).pages.size() * kPageBytes;
}

std::string MemoryStore::DevicePath(const std::string&) {
  return {};
}

}  // namespace ontapnvme::sim
