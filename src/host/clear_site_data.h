// The Clear-Site-Data header. Event-loop thread only.
#pragma once

#include <string>

#include "host/context.h"

namespace vigil::host {

// Clear Site Data section 4: what an origin's own response orders for it. The workers go before the response
// arrives; files are deleted in their turn.
void ClearSiteData(HostContext& context, const std::string& origin, const ipc::HttpResponse& head);

}  // namespace vigil::host
