// The handler's way back to a connection that may be gone.
#pragma once

#include <cstdint>
#include <memory>

#include "net/http_handler.h"

namespace tidegate::net {

class HttpSession;
class HttpWorker;

// The worker is shared so that a late answer still finds somebody to drop it; the session is only looked for.
[[nodiscard]] std::shared_ptr<HttpResponder> make_http_responder(std::shared_ptr<HttpWorker> worker,
                                                                 std::weak_ptr<HttpSession> session, uint64_t request);

}  // namespace tidegate::net
