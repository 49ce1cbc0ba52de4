#include "storage/idb_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <random>

#include "storage/key_codec.h"
#include "store/database.h"

namespace vigil::storage {
namespace {

const std::string kOrigin = "https://shop.example";
const std::string kName("\0d\0b", 4);
constexpr std::uint64_t kStore = 1, kIndex = 2;

std::string Number(double number) { return EncodeNumber(number); }

class IdbServiceTest : public testing::Test, public IdbSink {
 protected:
  IdbServiceTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vigil-idb-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    directories_ = std::make_unique<OriginDirectories>(root_, 8 << 20);
    service_ = std::make_unique<IdbService>(*directories_, *this);
    for (ClientId client : {1, 2}) service_->AddClient(client, kOrigin);
  }
  ~IdbServiceTest() override {
    service_.reset();
    std::filesystem::remove_all(root_);
  }

  void OnReply(ClientId, std::uint64_t request, ipc::IdbReply reply) override {
    EXPECT_TRUE(replies_.emplace(request, std::move(reply)).second) << "answered twice";
  }
  void OnNotice(ClientId client, ipc::IdbNotice notice) override {
    notices_.emplace_back(client, std::move(notice));
  }

  std::uint64_t Send(ClientId client, const ipc::IdbRequest& request) {
    service_->Handle(client, ++last_request_, request);
    return last_request_;
  }
  std::uint64_t SendOpen(ClientId client, std::uint64_t connection, std::uint64_t version) {
    ipc::IdbRequest request;
    request.mutable_open()->set_connection(connection);
    request.mutable_open()->set_name(kName);
    request.mutable_open()->set_version(version);
    return Send(client, request);
  }
  ipc::IdbRequest::Run Run(std::uint64_t connection, std::uint64_t transaction) {
    ipc::IdbRequest::Run run;
    run.set_connection(connection);
    run.set_transaction(transaction);
    return run;
  }
  ipc::IdbRequest::Run Begin(std::uint64_t connection, std::uint64_t transaction, bool write,
                             std::uint64_t store = kStore) {
    ipc::IdbRequest::Run run = Run(connection, transaction);
    run.mutable_begin()->set_write(write);
    run.mutable_begin()->add_stores(store);
    return run;
  }
  std::uint64_t SendRun(ClientId client, const ipc::IdbRequest::Run& run) {
    ipc::IdbRequest request;
    *request.mutable_run() = run;
    return Send(client, request);
  }
  void AddPut(ipc::IdbRequest::Run& run, double key, const std::string& value, bool add = false) {
    ipc::IdbOperation& operation = *run.add_operations();
    operation.set_store(kStore);
    operation.mutable_put()->set_key(Number(key));
    operation.mutable_put()->set_value(value);
    operation.mutable_put()->set_add(add);
  }
  void AddGet(ipc::IdbRequest::Run& run, double key) {
    ipc::IdbOperation& operation = *run.add_operations();
    operation.set_store(kStore);
    operation.mutable_read()->mutable_range()->set_lower(Number(key));
    operation.mutable_read()->mutable_range()->set_upper(Number(key));
    operation.mutable_read()->set_limit(1);
  }
  bool Answered(std::uint64_t request) const { return replies_.contains(request); }
  const ipc::IdbReply& Reply(std::uint64_t request) const { return replies_.at(request); }
  void Close(ClientId client, std::uint64_t connection) {
    ipc::IdbRequest request;
    request.set_close(connection);
    Send(client, request);
  }
  // Makes the database with one store (and an index on it), open as the client's connection 1.
  void Create(ClientId client = 1, bool auto_increment = false) {
    const std::uint64_t open = SendOpen(client, 1, 1);
    ASSERT_FALSE(notices_.empty());
    ASSERT_TRUE(notices_.back().second.has_upgrade_needed());
    ipc::IdbRequest::Run run = Run(1, kVersionChange);
    ipc::IdbOperation& store = *run.add_operations();
    store.set_store(kStore);
    store.mutable_create_store()->set_name(kName);
    store.mutable_create_store()->set_auto_increment(auto_increment);
    ipc::IdbOperation& index = *run.add_operations();
    index.set_store(kStore);
    index.set_index(kIndex);
    index.mutable_create_index()->set_name(kName);
    index.mutable_create_index()->mutable_key_path()->add_paths(kName);
    index.mutable_create_index()->set_unique(true);
    run.set_commit(true);
    const std::uint64_t commit = SendRun(client, run);
    ASSERT_TRUE(Reply(commit).committed());
    ASSERT_TRUE(Answered(open));
    ASSERT_EQ(Reply(open).error_name(), "");
  }
  static constexpr std::uint64_t kVersionChange = 1;

  std::filesystem::path root_;
  std::unique_ptr<OriginDirectories> directories_;
  std::unique_ptr<IdbService> service_;
  std::map<std::uint64_t, ipc::IdbReply> replies_;
  std::vector<std::pair<ClientId, ipc::IdbNotice>> notices_;
  std::uint64_t last_request_ = 0;
};

TEST_F(IdbServiceTest, OneMessageCanBeAWholeTransaction) {
  Create();
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  AddPut(run, 1, "one");
  AddGet(run, 1);
  run.set_commit(true);
  const ipc::IdbReply reply = Reply(SendRun(1, run));
  EXPECT_TRUE(reply.committed());
  EXPECT_EQ(reply.results(1).records(0).value(), "one");
}

TEST_F(IdbServiceTest, OverlappingWritersRunInOrderOfCreation) {
  Create();
  ipc::IdbRequest::Run first = Begin(1, 2, true);
  AddPut(first, 1, "first");
  SendRun(1, first);
  ipc::IdbRequest::Run second = Begin(1, 3, false);
  AddGet(second, 1);
  const std::uint64_t waiting = SendRun(1, second);
  EXPECT_FALSE(Answered(waiting));
  ipc::IdbRequest::Run commit = Run(1, 2);
  commit.set_commit(true);
  SendRun(1, commit);
  ASSERT_TRUE(Answered(waiting));
  EXPECT_EQ(Reply(waiting).results(0).records(0).value(), "first");
}

TEST_F(IdbServiceTest, AbortUndoesAndLetsTheNextOneGo) {
  Create();
  ipc::IdbRequest::Run first = Begin(1, 2, true);
  AddPut(first, 1, "never");
  SendRun(1, first);
  ipc::IdbRequest::Run second = Begin(1, 3, false);
  AddGet(second, 1);
  const std::uint64_t waiting = SendRun(1, second);
  ipc::IdbRequest::Run abort = Run(1, 2);
  abort.set_abort(true);
  SendRun(1, abort);
  ASSERT_TRUE(Answered(waiting));
  EXPECT_EQ(Reply(waiting).results(0).records_size(), 0);
}

TEST_F(IdbServiceTest, CommitWaitsForTheScriptWhenAnOperationFailed) {
  Create();
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  AddPut(run, 1, "one", true);
  AddPut(run, 1, "again", true);
  run.set_commit(true);
  const ipc::IdbReply reply = Reply(SendRun(1, run));
  EXPECT_FALSE(reply.committed());
  EXPECT_EQ(reply.results(1).error_name(), "ConstraintError");
  ipc::IdbRequest::Run commit = Run(1, 2);
  commit.set_commit(true);
  EXPECT_TRUE(Reply(SendRun(1, commit)).committed());
}

TEST_F(IdbServiceTest, UniqueIndexRefusesASecondOwner) {
  Create();
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  for (double key : {1, 2}) {
    AddPut(run, key, "v");
    auto& keys = *run.mutable_operations(run.operations_size() - 1)->mutable_put()->add_index_keys();
    keys.set_index(kIndex);
    keys.add_keys(Number(7));
  }
  const ipc::IdbReply reply = Reply(SendRun(1, run));
  EXPECT_EQ(reply.results(0).error_name(), "");
  EXPECT_EQ(reply.results(1).error_name(), "ConstraintError");
}

TEST_F(IdbServiceTest, KeyGeneratorCountsOnFromGivenNumbers) {
  Create(1, true);
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  AddPut(run, 0, "generated");
  run.mutable_operations(0)->mutable_put()->clear_key();
  AddPut(run, 41.5, "given");
  *run.add_operations() = run.operations(0);
  AddPut(run, 9007199254740992.0, "the last");
  *run.add_operations() = run.operations(0);
  const ipc::IdbReply reply = Reply(SendRun(1, run));
  EXPECT_EQ(reply.results(0).key(), Number(1));
  EXPECT_EQ(reply.results(2).key(), Number(42));
  EXPECT_EQ(reply.results(4).error_name(), "ConstraintError");
}

TEST_F(IdbServiceTest, ARecordThatIsRefusedUsesNoGeneratedKey) {
  Create(1, true);
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  for (double key : {7, 7, 8}) {
    ipc::IdbOperation& operation = *run.add_operations();
    operation.set_store(kStore);
    operation.mutable_put()->set_value("v");
    auto& keys = *operation.mutable_put()->add_index_keys();
    keys.set_index(kIndex);
    keys.add_keys(Number(key));
  }
  const ipc::IdbReply reply = Reply(SendRun(1, run));
  EXPECT_EQ(reply.results(0).key(), Number(1));
  EXPECT_EQ(reply.results(1).error_name(), "ConstraintError");
  EXPECT_EQ(
      reply.results(1).error_message(),
      "Unable to add key to index 'db': at least one key does not satisfy the uniqueness requirements.");
  EXPECT_EQ(reply.results(2).key(), Number(2));
}

TEST_F(IdbServiceTest, UpgradeAsksOthersThenBlocksThenGoesOn) {
  Create(1);
  notices_.clear();
  const std::uint64_t open = SendOpen(2, 1, 2);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_EQ(notices_[0].first, 1u);
  const auto change = notices_[0].second.version_change();
  EXPECT_EQ(change.old_version(), 1u);
  EXPECT_EQ(change.new_version(), 2u);
  ipc::IdbRequest done;
  done.set_version_change_done(change.id());
  Send(2, done);  // not its own
  ASSERT_EQ(notices_.size(), 1u);
  Send(1, done);
  ASSERT_EQ(notices_.size(), 2u);
  EXPECT_TRUE(notices_[1].second.has_blocked());
  Close(1, 1);
  ASSERT_EQ(notices_.size(), 3u);
  EXPECT_TRUE(notices_[2].second.has_upgrade_needed());
  ipc::IdbRequest::Run abort = Run(1, kVersionChange);
  abort.set_abort(true);
  SendRun(2, abort);
  EXPECT_EQ(Reply(open).error_name(), "AbortError");
  const std::uint64_t again = SendOpen(2, 2, 0);
  EXPECT_EQ(Reply(again).database().version(), 1u);
}

TEST_F(IdbServiceTest, AbortedCreationLeavesNothing) {
  SendOpen(1, 1, 5);
  ipc::IdbRequest::Run abort = Run(1, kVersionChange);
  abort.set_abort(true);
  SendRun(1, abort);
  ipc::IdbRequest list;
  list.set_databases(true);
  EXPECT_EQ(Reply(Send(1, list)).databases_size(), 0);
}

TEST_F(IdbServiceTest, DeathOfAClientAbortsAndFrees) {
  Create(1);
  const std::uint64_t open = SendOpen(2, 1, 0);
  ASSERT_TRUE(Answered(open));
  ipc::IdbRequest::Run lost = Begin(1, 2, true);
  AddPut(lost, 1, "lost");
  SendRun(1, lost);
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  AddGet(run, 1);
  const std::uint64_t waiting = SendRun(2, run);
  EXPECT_FALSE(Answered(waiting));
  service_->RemoveClient(1);
  ASSERT_TRUE(Answered(waiting));
  EXPECT_EQ(Reply(waiting).results(0).records_size(), 0);
}

TEST_F(IdbServiceTest, ThousandsMayWaitInLine) {
  Create();
  constexpr int kCount = 5000;
  std::vector<std::uint64_t> requests;
  for (int i = 0; i < kCount; ++i) {
    ipc::IdbRequest::Run run = Begin(1, 2 + static_cast<std::uint64_t>(i), true);
    AddPut(run, i, "v");
    if (i > 0) run.set_commit(true);
    requests.push_back(SendRun(1, run));
  }
  EXPECT_FALSE(Answered(requests.back()));
  ipc::IdbRequest::Run abort = Run(1, 1000);  // one in the middle gives up
  abort.set_abort(true);
  SendRun(1, abort);
  EXPECT_EQ(Reply(requests[998]).error_name(), "AbortError");
  ipc::IdbRequest::Run commit = Run(1, 2);
  commit.set_commit(true);
  SendRun(1, commit);
  ASSERT_TRUE(Answered(requests.back()));
  EXPECT_TRUE(Reply(requests.back()).committed());
}

TEST_F(IdbServiceTest, LargeReadsComeInParts) {
  Create();
  ipc::IdbRequest::Run fill = Begin(1, 2, true);
  for (int i = 0; i < 6; ++i) AddPut(fill, i, std::string(1 << 20, 'x'));
  fill.set_commit(true);
  ASSERT_TRUE(Reply(SendRun(1, fill)).committed());
  ipc::IdbRequest::Run read = Begin(1, 3, true);
  ipc::IdbOperation& all = *read.add_operations();
  all.set_store(kStore);
  all.mutable_read();
  ipc::IdbOperation clear;
  clear.set_store(kStore);
  clear.set_clear(true);
  *read.add_operations() = clear;
  const ipc::IdbReply first = Reply(SendRun(1, read));
  ASSERT_EQ(first.results_size(), 1);
  EXPECT_TRUE(first.results(0).more());
  ipc::IdbRequest::Run later = Run(1, 3);
  AddGet(later, 0);
  const std::uint64_t waiting = SendRun(1, later);
  EXPECT_FALSE(Answered(waiting));
  ipc::IdbRequest::Run resume = Run(1, 3);
  resume.set_resume(true);
  *resume.add_operations() = all;
  resume.mutable_operations(0)->mutable_read()->set_after_key(first.results(0).records().rbegin()->key());
  *resume.add_operations() = clear;
  const ipc::IdbReply rest = Reply(SendRun(1, resume));
  EXPECT_EQ(first.results(0).records_size() + rest.results(0).records_size(), 6);
  EXPECT_EQ(Reply(waiting).results(0).records_size(), 0);
}

TEST_F(IdbServiceTest, QuotaRefusesThePutNotTheTransaction) {
  Create();
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  AddPut(run, 1, std::string(9 << 20, 'x'));
  AddPut(run, 2, "small");
  const ipc::IdbReply reply = Reply(SendRun(1, run));
  EXPECT_EQ(reply.results(0).error_name(), "QuotaExceededError");
  EXPECT_EQ(reply.results(1).error_name(), "");
}

TEST_F(IdbServiceTest, ClearingTheOriginClosesConnections) {
  Create();
  notices_.clear();
  ASSERT_TRUE(service_->ClearOrigin(kOrigin));
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_EQ(notices_[0].second.force_closed(), 1u);
  EXPECT_EQ(directories_->Measure(kOrigin).total(), 0u);
  ipc::IdbRequest::Run run = Begin(1, 2, true);
  AddPut(run, 1, "late");
  EXPECT_EQ(Reply(SendRun(1, run)).error_name(), "AbortError");
  Create(2);
}

// Random messages, most of them nonsense: each is answered at most once, none crashes, and at the end, when
// the clients are gone, a new one can use the database.
TEST_F(IdbServiceTest, SurvivesHostileClients) {
  std::mt19937 random(20261123);
  const auto pick = [&](std::uint64_t bound) { return random() % bound; };
  for (int i = 0; i < 20000; ++i) {
    ipc::IdbRequest request;
    switch (pick(8)) {
      case 0:
        request.mutable_open()->set_connection(pick(6));
        request.mutable_open()->set_name(kName);
        request.mutable_open()->set_version(pick(4));
        break;
      case 1:
        request.mutable_delete_database()->set_connection(pick(6));
        request.mutable_delete_database()->set_name(kName);
        break;
      case 2:
        request.set_close(pick(6));
        break;
      case 3:
        request.set_version_change_done(pick(40) + (notices_.size() > 20 ? notices_.size() - 20 : 0));
        break;
      default: {
        ipc::IdbRequest::Run run =
            pick(2) ? Begin(pick(6), pick(20), pick(2), pick(3)) : Run(pick(6), pick(20));
        if (run.has_begin()) run.mutable_begin()->set_strict(pick(2));
        for (std::uint64_t left = pick(4); left > 0; --left) {
          AddPut(run, static_cast<double>(pick(5)), "v");
          ipc::IdbOperation& operation = *run.mutable_operations(run.operations_size() - 1);
          operation.set_store(pick(4));
          operation.set_index(pick(3));
          if (pick(3) == 0) operation.mutable_put()->set_key(std::string(pick(5), '\x10'));
          if (pick(5) == 0) operation.mutable_create_store()->set_name(kName);
          if (pick(5) == 0) operation.mutable_read()->set_after_key(Number(1));
        }
        run.set_commit(pick(2));
        run.set_abort(pick(8) == 0);
        run.set_resume(pick(8) == 0);
        *request.mutable_run() = run;
      }
    }
    const ClientId client = 1 + pick(2);
    Send(client, request);
    if (pick(500) == 0) {
      service_->RemoveClient(client);
      service_->AddClient(client, kOrigin);
    }
  }
  for (ClientId client : {1, 2}) service_->RemoveClient(client);
  service_->AddClient(9, kOrigin);
  ASSERT_TRUE(service_->ClearOrigin(kOrigin));
  Create(9);
}

TEST_F(IdbServiceTest, NumbersOnDiskThatScriptsCannotHoldAreADamage) {
  Create();
  Close(1, 1);
  for (ClientId client : {1, 2}) service_->RemoveClient(client);
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    if (entry.path().extension() == ".sqlite") file = entry.path();
  }
  store::OpenOptions raw;
  raw.application_id = 0x56474944;
  raw.migrations = {""};
  {
    auto database = store::Database::Open(file, raw);
    ASSERT_TRUE(database && (*database)->Exec("UPDATE database SET version = 9007199254740992"));
  }
  service_->AddClient(3, kOrigin);
  const std::uint64_t open = SendOpen(3, 1, 0);
  ASSERT_TRUE(Answered(open));
  EXPECT_EQ(Reply(open).error_name(), "UnknownError");
}

}  // namespace
}  // namespace vigil::storage
