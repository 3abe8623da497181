// Which buses do not balance, and on which messages, in memory that does not grow with the traces.
//
// A first pass adds up, for every bus and in buckets of its messages' hashes, count · hash over all messages: a bucket
// that is not zero in the end holds an unbalanced message. A second pass then keeps the books of the messages in a few
// such buckets of each unbalanced bus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <whorl/check.hpp>
#include <whorl/field.hpp>
#include <whorl/key.hpp>

namespace whorl {

/// Two independent field elements of a message's content.
struct MessageHash {
    std::uint64_t word = 0;  ///< chooses the bucket
    Fp first, second;
};
MessageHash hash_message(std::span<const Fp> fields);

/// The buses of a key and the layout of their buckets.
class BusTable {
public:
    explicit BusTable(const VerifyingKey& vk);

    std::size_t num_buses() const { return buses_.size(); }
    std::uint16_t bus_index(std::size_t bus) const { return buses_[bus]; }
    /// Position of a bus that the key uses.
    std::size_t position(std::uint16_t bus_index) const;
    std::size_t buckets_per_bus() const { return buckets_per_bus_; }
    std::size_t bucket(std::size_t bus, const MessageHash& hash) const {
        return bus * buckets_per_bus_ + (hash.word & (buckets_per_bus_ - 1));
    }

private:
    std::vector<std::uint16_t> buses_;  // ascending
    std::size_t buckets_per_bus_ = 1;
};

/// One thread's part of the first pass.
class BucketSums {
public:
    explicit BucketSums(const BusTable& table) : sums_(table.num_buses() * table.buckets_per_bus()) {}
    void add(std::size_t bucket, const MessageHash& hash, Fp count) {
        sums_[bucket].first += count * hash.first;
        sums_[bucket].second += count * hash.second;
    }
    void merge(const BucketSums& other);
    bool is_balanced(std::size_t bucket) const {
        return sums_[bucket].first.is_zero() && sums_[bucket].second.is_zero();
    }

private:
    std::vector<std::pair<Fp, Fp>> sums_;
};

/// One message on a bus, as UnbalancedMessage::Contribution, but without what only reports need: the books hold millions.
struct MessagePlace {
    std::uint32_t air_id = 0;
    std::size_t row = 0;
    std::uint32_t interaction = 0;
    Fp count;
};

/// The second pass: books of the messages in chosen buckets, up to a fixed number of messages in all.
class BusLedger {
public:
    BusLedger(const BusTable& table, const BucketSums& sums);

    bool is_empty() const { return unbalanced_buses_.empty(); }
    bool is_watched(std::size_t bucket) const { return is_watched_[bucket]; }
    void add(std::size_t bus, std::span<const Fp> fields, const MessagePlace& contribution);
    /// With names and lines from `notes`.
    std::vector<UnbalancedBus> report(const KeyNotes& notes) const;

private:
    struct Hash {
        std::size_t operator()(const std::vector<Fp>& fields) const { return hash_message(fields).word; }
    };
    struct Entry {
        Fp net_count;
        std::uint64_t num_contributions = 0;
        std::vector<MessagePlace> contributions;
    };

    const BusTable* table_;
    std::vector<bool> is_watched_;
    std::vector<std::size_t> unbalanced_buses_;
    std::vector<bool> has_unwatched_;                                                // per unbalanced bus
    std::map<std::size_t, std::unordered_map<std::vector<Fp>, Entry, Hash>> books_;  // by bus position
    std::size_t num_entries_ = 0;
};

}  // namespace whorl
