#include "air/bus_ledger.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <set>
#include <tuple>

#include "air/render.hpp"

namespace whorl {
namespace {

constexpr std::size_t kMaxBuckets = std::size_t{1} << 16;  // over all buses: half a megabyte a thread
constexpr std::size_t kWatchedBucketsPerBus = 8;
constexpr std::size_t kMaxEntries = std::size_t{1} << 20;
constexpr std::size_t kMessagesPerBus = 8;
constexpr std::size_t kContributionsPerMessage = 4;

std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

Fp to_field(std::uint64_t word) {
    return Fp::from_montgomery(static_cast<std::uint32_t>(word % Fp::kModulus));
}

auto order_of(const auto& c) {
    return std::tie(c.air_id, c.row, c.interaction);
}

}  // namespace

MessageHash hash_message(std::span<const Fp> fields) {
    std::uint64_t a = 0x9e3779b97f4a7c15 + fields.size();
    std::uint64_t b = 0xd1b54a32d192ed03 ^ fields.size();
    for (const Fp field : fields) {
        a = mix(a + field.montgomery());
        b = mix(b ^ (std::uint64_t{field.montgomery()} << 17));
    }
    return {a ^ std::rotl(b, 32), to_field(a), to_field(b)};
}

BusTable::BusTable(const VerifyingKey& vk) {
    std::set<std::uint16_t> buses;
    for (const AirVerifyingKey& air : vk.airs) {
        for (const SymbolicInteraction& interaction : air.interactions) buses.insert(interaction.bus_index);
    }
    buses_.assign(buses.begin(), buses.end());
    if (!buses_.empty()) buckets_per_bus_ = std::bit_floor(std::max<std::size_t>(kMaxBuckets / buses_.size(), 1));
}

std::size_t BusTable::position(std::uint16_t bus_index) const {
    return static_cast<std::size_t>(std::lower_bound(buses_.begin(), buses_.end(), bus_index) - buses_.begin());
}

void BucketSums::merge(const BucketSums& other) {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        sums_[i].first += other.sums_[i].first;
        sums_[i].second += other.sums_[i].second;
    }
}

BusLedger::BusLedger(const BusTable& table, const BucketSums& sums)
    : table_(&table), is_watched_(table.num_buses() * table.buckets_per_bus()) {
    for (std::size_t bus = 0; bus < table.num_buses(); ++bus) {
        std::size_t num_unbalanced = 0;
        for (std::size_t i = 0; i < table.buckets_per_bus(); ++i) {
            const std::size_t bucket = bus * table.buckets_per_bus() + i;
            if (sums.is_balanced(bucket)) continue;
            if (num_unbalanced++ < kWatchedBucketsPerBus) is_watched_[bucket] = true;
        }
        if (num_unbalanced == 0) continue;
        unbalanced_buses_.push_back(bus);
        has_unwatched_.push_back(num_unbalanced > kWatchedBucketsPerBus);
    }
}

void BusLedger::add(std::size_t bus, std::span<const Fp> fields, const MessagePlace& contribution) {
    auto& book = books_[bus];
    std::vector<Fp> key(fields.begin(), fields.end());
    auto found = book.find(key);
    if (found == book.end()) {
        if (num_entries_ == kMaxEntries) return;
        ++num_entries_;
        found = book.emplace(std::move(key), Entry()).first;
    }
    Entry& entry = found->second;
    entry.net_count += contribution.count;
    ++entry.num_contributions;
    // Rows arrive in any order; the first few by place are kept.
    auto& kept = entry.contributions;
    const auto place = std::upper_bound(kept.begin(), kept.end(), contribution,
                                        [](const auto& a, const auto& b) { return order_of(a) < order_of(b); });
    if (kept.size() == kContributionsPerMessage) {
        if (place == kept.end()) return;
        kept.insert(place, contribution);
        kept.pop_back();
    } else {
        kept.insert(place, contribution);
    }
}

std::vector<UnbalancedBus> BusLedger::report(const KeyNotes& notes) const {
    std::vector<UnbalancedBus> buses;
    for (std::size_t i = 0; i < unbalanced_buses_.size(); ++i) {
        UnbalancedBus& bus = buses.emplace_back();
        bus.bus_index = table_->bus_index(unbalanced_buses_[i]);
        if (const auto name = notes.buses.find(bus.bus_index); name != notes.buses.end()) bus.name = name->second;
        bus.has_more = has_unwatched_[i] || num_entries_ == kMaxEntries;
        const auto book = books_.find(unbalanced_buses_[i]);
        if (book == books_.end()) continue;
        for (const auto& [fields, entry] : book->second) {
            if (entry.net_count.is_zero()) continue;
            UnbalancedMessage& message = bus.messages.emplace_back();
            message.fields = fields;
            message.net_count = entry.net_count;
            message.num_contributions = entry.num_contributions;
            for (const MessagePlace& place : entry.contributions) {
                message.contributions.push_back({place.air_id, place.row, place.interaction, place.count, {}});
            }
        }
        const auto by_first_contribution = [](const UnbalancedMessage& a, const UnbalancedMessage& b) {
            return order_of(a.contributions.front()) < order_of(b.contributions.front());
        };
        std::sort(bus.messages.begin(), bus.messages.end(), by_first_contribution);
        if (bus.messages.size() > kMessagesPerBus) {
            bus.messages.resize(kMessagesPerBus);
            bus.has_more = true;
        }
        for (UnbalancedMessage& message : bus.messages) {
            for (auto& c : message.contributions) {
                c.note = note_at(notes_of(notes, c.air_id).interactions, c.interaction);
            }
        }
    }
    return buses;
}

}  // namespace whorl
