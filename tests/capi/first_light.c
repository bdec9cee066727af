/* The first procedure from beginning to end, each output printed: a registration is learnt, subscribed to, lost by the
 * access network, ended at the S-CSCF and cleaned up. tests/capi.rs plays the same in Rust and compares. */
#include "harness.h"

static imsp_pcscf *node;
/* The latest request of the node, and its token. */
static struct message request;
static uint64_t request_token;
/* The latest question of the node, or 0. */
static uint64_t question_token;

static void print_verdict(const imsp_verdict *verdict)
{
    switch (verdict->kind) {
    case IMSP_VERDICT_KIND_HANDLED:
        puts("verdict handled");
        break;
    case IMSP_VERDICT_KIND_NOT_MINE:
        puts("verdict not mine");
        break;
    case IMSP_VERDICT_KIND_FORWARD:
        puts("verdict forward");
        break;
    case IMSP_VERDICT_KIND_REJECTED:
        printf("verdict rejected: %s at byte %" PRIu32 " (%s), defect %" PRIu32 "\n", verdict->what, verdict->at,
               verdict->clause, verdict->defect);
        break;
    default:
        printf("verdict %" PRIu32 "\n", verdict->kind);
    }
}

static void print_text(const char *name, const char *buffer, imsp_text text)
{
    printf("%s %.*s\n", name, (int)text.length, buffer + text.offset);
}

static void print_affected(const char *buffer, const imsp_pcscf_output *output)
{
    print_text("private", buffer, output->private_identity);
    print_text("public", buffer, output->public_identity);
    print_text("contact", buffer, output->contact);
}

static void print_bytes(const char *buffer, imsp_text bytes)
{
    printf("bytes %" PRIu32 "\n", bytes.length);
    fwrite(buffer + bytes.offset, 1, bytes.length, stdout);
}

static void print_request(const char *buffer, const imsp_pcscf_output *output)
{
    const char *hop = buffer + output->next_hops.offset;
    const char *end = hop + output->next_hops.length;
    printf("request token=%" PRIu64 " towards=%s congestion_controlled=%" PRIu32 "\n", output->token,
           output->towards == IMSP_TOWARDS_CORE ? "core" : "ue", output->congestion_controlled);
    while (hop < end) {
        const char *line = memchr(hop, '\n', (size_t)(end - hop));
        const char *stop = line == NULL ? end : line;
        printf("hop %.*s\n", (int)(stop - hop), hop);
        hop = line == NULL ? end : line + 1;
    }
    print_bytes(buffer, output->bytes);
    request_token = output->token;
    request = written("%.*s", (int)output->bytes.length, buffer + output->bytes.offset);
}

static void print_ask(const char *buffer, const imsp_pcscf_output *output)
{
    const char *what = "?";
    switch (output->what) {
    case IMSP_PCSCF_QUESTION_OWED_DELIVERY:
        what = "owed delivery";
        break;
    case IMSP_PCSCF_QUESTION_SECURITY_ASSOCIATION_RELEASE:
        what = "security association release";
        break;
    case IMSP_PCSCF_QUESTION_BEARER_RELEASE:
        what = "bearer release";
        break;
    default:
        break;
    }
    printf("ask %s token=%" PRIu64 "\n", what, output->token);
    print_text("key", buffer, output->key);
    print_affected(buffer, output);
    question_token = output->token;
}

static void print_event(const char *buffer, const imsp_pcscf_output *output)
{
    switch (output->what) {
    case IMSP_PCSCF_EVENT_DEREGISTERED:
        printf("event deregistered cause=%" PRIu32 " outcome=%s status=%" PRIu32 " registers=%" PRIu32 "\n",
               output->cause, output->outcome == IMSP_PCSCF_OUTCOME_NOTIFIED ? "notified" : "?", output->sip_status,
               output->registers);
        print_text("key", buffer, output->key);
        print_affected(buffer, output);
        break;
    case IMSP_PCSCF_EVENT_ACCESS_LOST:
        printf("event access lost\n");
        print_affected(buffer, output);
        break;
    case IMSP_SUBSCRIPTION_EVENT_SUBSCRIBED:
        printf("event subscribed expires=%" PRIu32 "\n", output->expires);
        print_text("resource", buffer, output->resource);
        break;
    case IMSP_SUBSCRIPTION_EVENT_SUBSCRIPTION_ENDED:
        printf("event subscription ended end=%s reason=%s\n",
               output->end == IMSP_SUBSCRIPTION_END_TERMINATED ? "terminated" : "?",
               output->termination == IMSP_TERMINATION_NO_RESOURCE ? "noresource" : "?");
        print_text("resource", buffer, output->resource);
        break;
    default:
        printf("event %" PRIu32 "\n", output->what);
    }
}

/* Takes and prints every output, each from a buffer of just its size. */
static void print_outputs(void)
{
    imsp_pcscf_output output;
    size_t length = 0;
    output.struct_size = sizeof output;
    for (;;) {
        imsp_status status = imsp_pcscf_poll(node, &output, NULL, 0, &length, NULL);
        if (status == IMSP_STATUS_NOTHING) {
            break;
        }
        CHECK(status == IMSP_STATUS_BUFFER_TOO_SMALL);
        char *buffer = malloc(length);
        CHECK(buffer != NULL);
        EXPECT(imsp_pcscf_poll(node, &output, buffer, length - 1, NULL, NULL), IMSP_STATUS_BUFFER_TOO_SMALL);
        OK(imsp_pcscf_poll(node, &output, buffer, length, NULL, NULL));
        switch (output.kind) {
        case IMSP_OUTPUT_KIND_REQUEST:
            print_request(buffer, &output);
            break;
        case IMSP_OUTPUT_KIND_RESPOND:
            printf("respond to=%" PRIu64 " status=%" PRIu32 "\n", output.transaction, output.sip_status);
            print_bytes(buffer, output.bytes);
            break;
        case IMSP_OUTPUT_KIND_ASK:
            print_ask(buffer, &output);
            break;
        case IMSP_OUTPUT_KIND_EVENT:
            print_event(buffer, &output);
            break;
        default:
            printf("output %" PRIu32 "\n", output.kind);
        }
        free(buffer);
    }
}

static void print_deadline(void)
{
    imsp_deadline deadline;
    deadline.struct_size = sizeof deadline;
    if (imsp_pcscf_deadline(node, &deadline, NULL) == IMSP_STATUS_OK) {
        printf("deadline %" PRIu64 " %s\n", deadline.at, deadline.timer);
    } else {
        puts("deadline none");
    }
}

static void print_snapshot(uint64_t now)
{
    size_t length = 0;
    EXPECT(imsp_pcscf_snapshot(node, now, NULL, 0, &length, NULL), IMSP_STATUS_BUFFER_TOO_SMALL);
    unsigned char *blob = malloc(length);
    CHECK(blob != NULL);
    OK(imsp_pcscf_snapshot(node, now, blob, length, NULL, NULL));
    printf("snapshot ");
    for (size_t at = 0; at < length; at++) {
        printf("%02x", blob[at]);
    }
    puts("");
    free(blob);
}

static void receive(uint64_t now, uint64_t transaction, const struct message *message)
{
    imsp_verdict verdict;
    verdict.struct_size = sizeof verdict;
    OK(imsp_pcscf_receive(node, now, IMSP_SOURCE_TRUSTED_CORE, transaction, message->bytes, message->length, &verdict,
                          NULL));
    print_verdict(&verdict);
    print_outputs();
}

static void respond(uint64_t now, const struct message *response)
{
    OK(imsp_pcscf_answer_response(node, now, request_token, response->bytes, response->length, NULL));
    print_outputs();
}

int main(void)
{
    imsp_pcscf_config *config = configured();
    node = node_of(config);
    imsp_pcscf_config_free(config);
    imsp_verdict verdict;
    verdict.struct_size = sizeof verdict;

    puts("== a registration is learnt");
    struct message asked = registering(), given = registered();
    OK(imsp_pcscf_command_learn(node, 1000, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, &verdict,
                                NULL));
    print_verdict(&verdict);
    print_outputs();
    struct message subscribe = request;

    puts("== it is subscribed to");
    struct message response =
        response_to(&request, "200", "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n");
    respond(1010, &response);
    struct message body = document("active", "active", "registered");
    struct message message = notify(&subscribe, 1, "active;expires=3660", &body);
    receive(1020, 77, &message);
    print_deadline();
    print_snapshot(1020);

    puts("== before the deadline a tick changes nothing");
    OK(imsp_pcscf_tick(node, 1500, NULL));
    print_outputs();
    print_deadline();

    puts("== something that is no SIP message, and something for others");
    message = written("NOTIFY sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\nno\r\n\r\n");
    receive(1600, 78, &message);
    message = registering();
    receive(1700, 79, &message);

    puts("== the access network loses the user");
    OK(imsp_pcscf_command_access_lost(node, 2000, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL));
    print_verdict(&verdict);
    print_outputs();
    print_deadline();

    puts("== the S-CSCF lets go");
    response = response_to(&request, "200", "");
    respond(2005, &response);
    print_snapshot(2005);
    body = document("terminated", "terminated", "unregistered");
    message = notify(&subscribe, 2, "terminated;reason=noresource", &body);
    receive(2010, 80, &message);

    puts("== what is left is cleaned up");
    for (uint64_t now = 2020; question_token != 0; now += 10) {
        uint64_t token = question_token;
        question_token = 0;
        OK(imsp_pcscf_answer(node, now, token, IMSP_ANSWER_DONE, NULL));
        print_outputs();
    }
    print_deadline();
    print_snapshot(3000);

    imsp_pcscf_counts counts;
    counts.struct_size = sizeof counts;
    OK(imsp_pcscf_counters(node, &counts, NULL));
    printf("counts learned=%" PRIu64 " access_lost=%" PRIu64 " notifies=%" PRIu64 " notifies_refused=%" PRIu64
           " malformed=%" PRIu64 " stale_answers=%" PRIu64 " notified=%" PRIu64 "\n",
           counts.learned, counts.access_lost, counts.notifies, counts.notifies_refused, counts.malformed,
           counts.stale_answers, counts.notified);
    imsp_subscription_counts subscriptions;
    subscriptions.struct_size = sizeof subscriptions;
    OK(imsp_pcscf_subscription_counters(node, NULL, 0, &subscriptions, NULL));
    printf("subscriptions attempts=%" PRIu64 " successful=%" PRIu64 " active=%" PRIu64 " pending=%" PRIu64
           " failed=%" PRIu64 "\n",
           subscriptions.attempts, subscriptions.successful, subscriptions.active, subscriptions.pending,
           subscriptions.failed);
    imsp_pcscf_free(node);
    return 0;
}
