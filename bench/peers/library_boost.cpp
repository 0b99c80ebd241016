// SPDX-License-Identifier: MIT
#include <boost/interprocess/ipc/message_queue.hpp>
#include <string>

#include "peer.h"

using boost::interprocess::message_queue;

namespace {

struct end_of_queue {
    std::string name;
    message_queue queue;
};

// Whoever comes first makes it. Its memory for large messages is bounded likewise.
void *open_boost(const char *queue, bool, size_t message_size) {
    try {
        return new end_of_queue{queue, message_queue(boost::interprocess::open_or_create, queue,
                                                     message_size > 65536 ? 16 : 1024, message_size)};
    } catch (...) {
        return nullptr;
    }
}

bool put(void *end, const void *data, size_t size) {
    static_cast<end_of_queue *>(end)->queue.send(data, size, 0);
    return true;
}

bool get(void *end, void *data, size_t size) {
    message_queue::size_type received = 0;
    unsigned priority = 0;
    static_cast<end_of_queue *>(end)->queue.receive(data, size, received, priority);
    return received == size;
}

void close_boost(void *end) {
    auto *open = static_cast<end_of_queue *>(end);
    message_queue::remove(open->name.c_str());
    delete open;
}

} // namespace

extern "C" const queue_peer peer_boost = {"Boost.Interprocess", 1, open_boost, put, get, close_boost};
