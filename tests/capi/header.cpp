// The header from C++11, used for the least that makes a node.
#include "ims_procedures.h"

#include <cstdio>
#include <cstring>

int main()
{
    static const char uri[] = "sip:pcscf1.visited1.example.net", name[] = "visited1.example.net";
    const unsigned char seed[32] = {};
    imsp_pcscf_config *config = nullptr;
    imsp_pcscf *node = nullptr;
    imsp_fault fault = {};
    fault.struct_size = sizeof fault;
    imsp_status status = imsp_pcscf_config_new(uri, std::strlen(uri), name, std::strlen(name), name,
                                               std::strlen(name), &config, &fault);
    if (status == IMSP_STATUS_OK) {
        status = imsp_pcscf_new(config, seed, sizeof seed, 1, 0, 1, &node, &fault);
    }
    imsp_pcscf_free(node);
    imsp_pcscf_config_free(config);
    std::puts(status == IMSP_STATUS_OK && imsp_abi() == IMSP_ABI ? "done" : fault.what);
    return 0;
}
