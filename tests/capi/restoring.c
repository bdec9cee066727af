/* A node is handed over while its REGISTER is out, and with a routing question open. */
#include "harness.h"

static char buffer[262144];
static imsp_pcscf_output output;

static struct message text(imsp_text text)
{
    return written("%.*s", (int)text.length, buffer + text.offset);
}

/* The next output, which must be of this kind, and the last. */
static void take(imsp_pcscf *node, uint32_t kind)
{
    output.struct_size = sizeof output;
    OK(imsp_pcscf_poll(node, &output, buffer, sizeof buffer, NULL, NULL));
    CHECK(output.kind == kind);
}

static imsp_pcscf *handed_over(imsp_pcscf *node, const imsp_pcscf_config *config, uint64_t incarnation, uint64_t now)
{
    unsigned char seed[32];
    imsp_pcscf *restored = NULL;
    size_t length = 0;
    memset(seed, 7, sizeof seed);
    EXPECT(imsp_pcscf_snapshot(node, now, NULL, 0, &length, NULL), IMSP_STATUS_BUFFER_TOO_SMALL);
    unsigned char *blob = malloc(length);
    CHECK(blob != NULL);
    EXPECT(imsp_pcscf_snapshot(node, now, blob, length - 1, NULL, NULL), IMSP_STATUS_BUFFER_TOO_SMALL);
    OK(imsp_pcscf_snapshot(node, now, blob, length, NULL, NULL));
    imsp_pcscf_free(node);
    OK(imsp_pcscf_restore(config, seed, sizeof seed, incarnation, 3, 2, now, blob, length, &restored, NULL));
    free(blob);
    return restored;
}

int main(void)
{
    imsp_pcscf_config *config = configured();
    OK(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_ROUTING, IMSP_ROUTING_QUESTION, NULL));
    OK(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_NEXT_HOP, IMSP_NEXT_HOP_SERVICE_ROUTE, NULL));
    imsp_pcscf *node = node_of(config);
    imsp_verdict verdict;
    verdict.struct_size = sizeof verdict;
    struct message asked = registering(), given = registered();
    OK(imsp_pcscf_command_learn(node, 10, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, &verdict,
                                NULL));
    take(node, IMSP_OUTPUT_KIND_ASK);
    CHECK(output.what == IMSP_SUBSCRIPTION_QUESTION_ROUTING && output.skip_pattern_matching == 1);
    CHECK(strcmp(text(output.resource).bytes, PUBLIC) == 0 && output.destination.length == 0);
    CHECK(strcmp(text(output.route_uri).bytes, "<sip:orig@scscf1.home1.example.net:5080;lr>") == 0);
    struct message key = text(output.key);
    uint64_t token = output.token;

    /* The question comes again, with the same key. */
    node = handed_over(node, config, 2, 20);
    OK(imsp_pcscf_tick(node, 20, NULL));
    take(node, IMSP_OUTPUT_KIND_ASK);
    CHECK(strcmp(text(output.key).bytes, key.bytes) == 0 && output.token != token);
    EXPECT(imsp_pcscf_answer(node, 20, token, IMSP_ANSWER_NO_ROUTE, NULL), IMSP_STATUS_UNKNOWN_TOKEN);
    OK(imsp_pcscf_answer_routes(node, 30, output.token, TEXT("<sip:one.example.net>,<sip:two.example.net>"),
                                TEXT("<sip:route.example.net;lr>"), NULL));
    take(node, IMSP_OUTPUT_KIND_REQUEST);
    CHECK(strcmp(text(output.next_hops).bytes, "sip:one.example.net\nsip:two.example.net") == 0);
    struct message message = text(output.bytes);
    CHECK(strncmp(message.bytes, "SUBSCRIBE ", 10) == 0);
    CHECK(strstr(message.bytes, "\r\nRoute: <sip:route.example.net;lr>\r\n") != NULL);
    OK(imsp_pcscf_answer(node, 40, output.token, IMSP_ANSWER_TIMEOUT, NULL));
    take(node, IMSP_OUTPUT_KIND_EVENT);
    CHECK(output.what == IMSP_SUBSCRIPTION_EVENT_SUBSCRIPTION_ENDED);
    CHECK(output.end == IMSP_SUBSCRIPTION_END_NO_RESPONSE && output.termination == 0);

    /* The REGISTER comes again, byte for byte. */
    OK(imsp_pcscf_command_access_lost(node, 50, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL));
    take(node, IMSP_OUTPUT_KIND_EVENT);
    CHECK(output.what == IMSP_PCSCF_EVENT_ACCESS_LOST && output.contact.length > 0);
    take(node, IMSP_OUTPUT_KIND_REQUEST);
    message = text(output.bytes);
    node = handed_over(node, config, 3, 60);
    OK(imsp_pcscf_tick(node, 60, NULL));
    take(node, IMSP_OUTPUT_KIND_REQUEST);
    CHECK(strcmp(text(output.bytes).bytes, message.bytes) == 0);
    struct message refused = response_to(&message, "404", "");
    OK(imsp_pcscf_answer_response(node, 70, output.token, refused.bytes, refused.length, NULL));
    for (int step = 0; step < 3; step++) {
        take(node, IMSP_OUTPUT_KIND_ASK);
        CHECK(output.termination_cause == (step == 2 ? 1 : 0));
        OK(imsp_pcscf_answer(node, 80, output.token, step == 0 ? IMSP_ANSWER_NOT_DONE : IMSP_ANSWER_DONE, NULL));
    }
    take(node, IMSP_OUTPUT_KIND_EVENT);
    CHECK(output.what == IMSP_PCSCF_EVENT_DEREGISTERED && output.cause == IMSP_PCSCF_CAUSE_ACCESS_LOST);
    CHECK(output.outcome == IMSP_PCSCF_OUTCOME_NOTHING_THERE && output.sip_status == 404 && output.registers == 1);
    CHECK(output.end == 0 && output.token == 0 && output.bytes.length == 0);

    imsp_deadline deadline;
    deadline.struct_size = sizeof deadline;
    EXPECT(imsp_pcscf_deadline(node, &deadline, NULL), IMSP_STATUS_NOTHING);
    imsp_pcscf_free(node);
    imsp_pcscf_config_free(config);
    puts("done");
    return 0;
}
