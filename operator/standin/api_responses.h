// What the stand-in of Calico's API server answers: just enough for the aggregator to call the
// APIService available. It has the group projectcalico.org/v3 and no resource in it.
#ifndef CALICO_OPERATOR_STANDIN_API_RESPONSES_H_
#define CALICO_OPERATOR_STANDIN_API_RESPONSES_H_

#include <string>
#include <string_view>

namespace calico::standin {

// The whole HTTP answer to the first line of a request, "GET /readyz HTTP/1.1". Every answer closes
// the connection.
std::string Respond(std::string_view request_line);

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_API_RESPONSES_H_
