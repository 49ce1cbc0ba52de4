#include "engine/registry.h"

namespace vigil {

const Entry* Registry::Find(WorkerRegistrationId worker, SyncKind kind, std::string_view tag) const {
  const Worker* owner = FindWorker(worker);
  if (owner == nullptr) return nullptr;
  const auto found = owner->entries.find(TagView{tag, kind});
  return found == owner->entries.end() ? nullptr : &found->second;
}

Entry* Registry::Find(WorkerRegistrationId worker, SyncKind kind, std::string_view tag) {
  return const_cast<Entry*>(std::as_const(*this).Find(worker, kind, tag));
}

const Worker* Registry::FindWorker(WorkerRegistrationId worker) const {
  const auto found = workers_.find(worker);
  return found == workers_.end() ? nullptr : &found->second;
}

Worker* Registry::FindWorker(WorkerRegistrationId worker) {
  return const_cast<Worker*>(std::as_const(*this).FindWorker(worker));
}

Origin* Registry::FindOrigin(const std::string& name) {
  const auto found = origins_.find(name);
  return found == origins_.end() ? nullptr : &found->second;
}

Entry& Registry::Add(WorkerRegistrationId worker, const std::string& origin, SyncKind kind,
                     std::string_view tag) {
  // Stored registrations come in order: the end is the place to look first.
  Worker& owner = workers_.try_emplace(workers_.end(), worker)->second;
  if (owner.origin == nullptr) {
    owner.id = worker;
    owner.origin = &origins_[origin];
    owner.origin->name = origin;
    owner.origin->workers.insert(worker);
  }
  const std::size_t before = owner.entries.size();
  const auto place = owner.entries.try_emplace(owner.entries.end(), TagKey{std::string(tag), kind});
  place->second.worker = &owner;
  place->second.key = &place->first;
  if (owner.entries.size() > before) {
    ++size_;
    owner.origin->bytes += RegistrationBytes(tag);
  }
  return place->second;
}

void Registry::Remove(Entry& entry) {
  Worker& owner = *entry.worker;
  if (entry.periodic()) owner.origin->schedule.erase({entry.due, &entry});
  owner.origin->bytes -= RegistrationBytes(entry.key->tag);
  owner.entries.erase(owner.entries.find(*entry.key));
  --size_;
  if (!owner.entries.empty()) return;
  Origin& origin = *owner.origin;
  origin.workers.erase(owner.id);
  workers_.erase(owner.id);
  if (origin.workers.empty()) origins_.erase(origins_.find(origin.name));
}

void Registry::SetDue(Entry& entry, MonoTime due) {
  if (entry.periodic()) {
    auto& schedule = entry.worker->origin->schedule;
    schedule.erase({entry.due, &entry});
    schedule.insert({due, &entry});
  }
  entry.due = due;
  entry.suspended = false;
}

void Registry::Suspend(Entry& entry) {
  entry.worker->origin->schedule.erase({entry.due, &entry});
  entry.suspended = true;
}

std::optional<MonoTime> Registry::SoonestOther(const Entry& self, bool same_tag) const {
  for (const auto& [due, entry] : self.worker->origin->schedule) {
    if (entry != &self && (same_tag || entry->key->tag != self.key->tag)) return due;
  }
  return std::nullopt;
}

}  // namespace vigil
