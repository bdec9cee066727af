/* Everything that a caller can do wrong: each has its status, and changes nothing. */
#include "harness.h"

static imsp_fault new_fault(void)
{
    imsp_fault fault;
    memset(&fault, 0xaa, sizeof fault);
    fault.struct_size = sizeof fault;
    return fault;
}

static imsp_verdict new_verdict(void)
{
    imsp_verdict verdict;
    memset(&verdict, 0xaa, sizeof verdict);
    verdict.struct_size = sizeof verdict;
    return verdict;
}

/* The sizes of the first release, which callers of it will always give. */
#define FIRST_FAULT 276
#define FIRST_VERDICT 224
#define FIRST_DEADLINE 64
#define FIRST_OUTPUT 168
#define FIRST_COUNTS 144
#define FIRST_SUBSCRIPTION_COUNTS 48

static void sizes(void)
{
    CHECK(sizeof(imsp_fault) >= FIRST_FAULT);
    CHECK(sizeof(imsp_verdict) >= FIRST_VERDICT);
    CHECK(sizeof(imsp_deadline) >= FIRST_DEADLINE);
    CHECK(sizeof(imsp_pcscf_output) >= FIRST_OUTPUT);
    CHECK(sizeof(imsp_pcscf_counts) >= FIRST_COUNTS);
    CHECK(sizeof(imsp_subscription_counts) >= FIRST_SUBSCRIPTION_COUNTS);
    CHECK(sizeof(imsp_text) == 8);
}

static void versions(void)
{
    CHECK(imsp_abi() == IMSP_ABI);
    CHECK(strchr(imsp_version(), '.') != NULL);
    CHECK(strcmp(imsp_strerror(IMSP_STATUS_OK), "done") == 0);
    CHECK(strcmp(imsp_strerror(IMSP_STATUS_NODE_FULL), "the node is full") == 0);
    CHECK(strcmp(imsp_strerror(12345), "no status of this release") == 0);
    CHECK(strcmp(imsp_strerror(UINT32_MAX), "no status of this release") == 0);
}

static void null_handles(void)
{
    const imsp_status null = IMSP_STATUS_NULL_POINTER;
    imsp_verdict verdict = new_verdict();
    imsp_fault fault = new_fault();
    imsp_pcscf_output output;
    imsp_deadline deadline;
    imsp_pcscf_counts counts;
    imsp_subscription_counts subscriptions;
    unsigned char seed[32] = {0}, buffer[8];
    uint64_t number = 5;
    uint32_t flag = 5;
    size_t length = 5;
    imsp_pcscf *node = NULL;
    imsp_pcscf_config *config = NULL;
    output.struct_size = sizeof output;
    deadline.struct_size = sizeof deadline;
    counts.struct_size = sizeof counts;
    subscriptions.struct_size = sizeof subscriptions;

    imsp_pcscf_config_free(NULL);
    imsp_pcscf_free(NULL);
    EXPECT(imsp_pcscf_config_set_number(NULL, IMSP_LIMIT_USERS, 1, &fault), null);
    CHECK(fault.status == null && fault.defect == 0);
    CHECK(strcmp(fault.what, "a pointer that must lead somewhere is NULL") == 0);
    EXPECT(imsp_pcscf_config_number(NULL, IMSP_LIMIT_USERS, &number, NULL), null);
    EXPECT(imsp_pcscf_config_set_text(NULL, IMSP_PCSCF_OPTION_VISITED_NETWORK_ID, TEXT("a"), NULL), null);
    EXPECT(imsp_pcscf_config_add_text(NULL, IMSP_PCSCF_OPTION_ENTRY_POINTS, TEXT("sip:a"), NULL), null);
    EXPECT(imsp_pcscf_config_set_subscriber(NULL, TEXT(URI), TEXT(IOI), NULL), null);
    EXPECT(imsp_pcscf_config_add_signalling_profile(NULL, TEXT("p"), 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_trunk_group(NULL, TEXT("g"), TEXT("p"), NULL, 0, NULL, 0, 1, NULL), null);
    EXPECT(imsp_pcscf_config_check(NULL, NULL), null);
    EXPECT(imsp_pcscf_new(NULL, seed, sizeof seed, 1, 1, 1, &node, NULL), null);
    EXPECT(imsp_pcscf_restore(NULL, seed, sizeof seed, 1, 1, 1, 0, NULL, 0, &node, NULL), null);
    EXPECT(imsp_pcscf_receive(NULL, 0, IMSP_SOURCE_UE, 1, NULL, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_answer(NULL, 0, 1, IMSP_ANSWER_DONE, NULL), null);
    EXPECT(imsp_pcscf_answer_response(NULL, 0, 1, NULL, 0, NULL), null);
    EXPECT(imsp_pcscf_answer_routes(NULL, 0, 1, NULL, 0, NULL, 0, NULL), null);
    EXPECT(imsp_pcscf_command_learn(NULL, 0, NULL, 0, NULL, 0, NULL, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_access_lost(NULL, 0, NULL, 0, NULL, 0, 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_dialogs_changed(NULL, 0, NULL, 0, NULL, 0, 0, 1, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_shutdown(NULL, 0, 0, 0, 0, 0, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_resume(NULL, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_heard(NULL, 0, NULL, 0, NULL, 0, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_protected(NULL, 0, NULL, 0, NULL, 0, 0, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_is_access_lost(NULL, NULL, 0, &flag, NULL), null);
    EXPECT(imsp_pcscf_config_add_loss_rule(NULL, 1, 0, 0, 0, 1, NULL), null);
    EXPECT(imsp_pcscf_config_clear_loss_rules(NULL, NULL), null);
    EXPECT(imsp_pcscf_tick(NULL, 0, NULL), null);
    EXPECT(imsp_pcscf_deadline(NULL, &deadline, NULL), null);
    EXPECT(imsp_pcscf_poll(NULL, &output, buffer, sizeof buffer, &length, NULL), null);
    EXPECT(imsp_pcscf_snapshot(NULL, 0, buffer, sizeof buffer, &length, NULL), null);
    EXPECT(imsp_pcscf_reconfigure(NULL, NULL, NULL), null);
    EXPECT(imsp_pcscf_counters(NULL, &counts, NULL), null);
    EXPECT(imsp_pcscf_subscription_counters(NULL, NULL, 0, &subscriptions, NULL), null);
    EXPECT(imsp_pcscf_registrations(NULL, &number, NULL), null);
    EXPECT(imsp_pcscf_is_registered(NULL, NULL, 0, &flag, NULL), null);
    EXPECT(imsp_pcscf_strip_trust_marks(NULL, NULL, 0, buffer, sizeof buffer, &length, NULL), null);
    EXPECT(imsp_pcscf_config_new(NULL, 1, TEXT(IOI), TEXT(VISITED), &config, NULL), null);
    CHECK(number == 5 && flag == 5 && length == 5 && node == NULL && config == NULL);
    CHECK(verdict.kind == 0xaaaaaaaa);
}

/* Handles are there, and everything else is not. */
static void null_arguments(imsp_pcscf_config *config, imsp_pcscf *node)
{
    const imsp_status null = IMSP_STATUS_NULL_POINTER;
    imsp_verdict verdict = new_verdict();
    imsp_pcscf_output output;
    unsigned char seed[32] = {0}, buffer[8];
    imsp_pcscf *other = NULL;
    struct message asked = registering(), given = registered();
    output.struct_size = sizeof output;

    EXPECT(imsp_pcscf_config_new(TEXT(URI), TEXT(IOI), TEXT(VISITED), NULL, NULL), null);
    EXPECT(imsp_pcscf_config_new(TEXT(URI), NULL, 1, TEXT(VISITED), &config, NULL), null);
    EXPECT(imsp_pcscf_config_new(TEXT(URI), TEXT(IOI), NULL, 1, &config, NULL), null);
    EXPECT(imsp_pcscf_config_number(config, IMSP_LIMIT_USERS, NULL, NULL), null);
    EXPECT(imsp_pcscf_config_set_text(config, IMSP_PCSCF_OPTION_VISITED_NETWORK_ID, NULL, 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_text(config, IMSP_PCSCF_OPTION_ENTRY_POINTS, NULL, 1, NULL), null);
    EXPECT(imsp_pcscf_config_set_subscriber(config, NULL, 1, TEXT(IOI), NULL), null);
    EXPECT(imsp_pcscf_config_set_subscriber(config, TEXT(URI), NULL, 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_signalling_profile(config, NULL, 1, 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_trunk_group(config, NULL, 1, TEXT("p"), NULL, 0, NULL, 0, 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_trunk_group(config, TEXT("g"), NULL, 1, NULL, 0, NULL, 0, 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_trunk_group(config, TEXT("g"), TEXT("p"), NULL, 1, NULL, 0, 1, NULL), null);
    EXPECT(imsp_pcscf_config_add_trunk_group(config, TEXT("g"), TEXT("p"), NULL, 0, NULL, 1, 1, NULL), null);
    EXPECT(imsp_pcscf_new(config, NULL, 32, 1, 1, 1, &other, NULL), null);
    EXPECT(imsp_pcscf_new(config, seed, sizeof seed, 1, 1, 1, NULL, NULL), null);
    EXPECT(imsp_pcscf_restore(config, NULL, 32, 1, 1, 1, 0, buffer, 8, &other, NULL), null);
    EXPECT(imsp_pcscf_restore(config, seed, sizeof seed, 1, 1, 1, 0, NULL, 8, &other, NULL), null);
    EXPECT(imsp_pcscf_restore(config, seed, sizeof seed, 1, 1, 1, 0, buffer, 8, NULL, NULL), null);
    EXPECT(imsp_pcscf_receive(node, 0, IMSP_SOURCE_UE, 1, NULL, 1, &verdict, NULL), null);
    EXPECT(imsp_pcscf_receive(node, 0, IMSP_SOURCE_UE, 1, asked.bytes, asked.length, NULL, NULL), null);
    EXPECT(imsp_pcscf_answer_response(node, 0, 1, NULL, 1, NULL), null);
    EXPECT(imsp_pcscf_answer_routes(node, 0, 1, NULL, 1, NULL, 0, NULL), null);
    EXPECT(imsp_pcscf_answer_routes(node, 0, 1, NULL, 0, NULL, 1, NULL), null);
    EXPECT(imsp_pcscf_command_learn(node, 0, NULL, 1, given.bytes, given.length, NULL, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, NULL, 1, NULL, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, NULL, 1, &verdict,
                                    NULL),
           null);
    EXPECT(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, NULL,
                                    NULL),
           null);
    EXPECT(imsp_pcscf_command_access_lost(node, 0, NULL, 0, NULL, 1, 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_access_lost(node, 0, NULL, 1, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_dialogs_changed(node, 0, NULL, 0, NULL, 1, 0, 1, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_dialogs_changed(node, 0, NULL, 0, TEXT(CONTACT), 0, 1, NULL, NULL), null);
    EXPECT(imsp_pcscf_command_shutdown(node, 0, 0, 0, 0, 0, 0, NULL, NULL), null);
    EXPECT(imsp_pcscf_command_resume(node, 0, NULL, NULL), null);
    EXPECT(imsp_pcscf_command_dialogs_changed(node, 0, NULL, 0, TEXT(CONTACT), 0, 2, &verdict, NULL), IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_command_shutdown(node, 0, 0, 0, 0, 2, 0, &verdict, NULL), IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_command_shutdown(node, 0, 0, 0, 0, 0, 2, &verdict, NULL), IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_command_access_lost(node, 0, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, NULL, NULL), null);
    EXPECT(imsp_pcscf_command_heard(node, 0, NULL, 0, NULL, 1, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_heard(node, 0, NULL, 0, TEXT(CONTACT), 0, NULL, NULL), null);
    EXPECT(imsp_pcscf_command_protected(node, 0, NULL, 0, NULL, 1, 0, 0, &verdict, NULL), null);
    EXPECT(imsp_pcscf_command_protected(node, 0, NULL, 0, TEXT(CONTACT), 0, 0, NULL, NULL), null);
    EXPECT(imsp_pcscf_is_access_lost(node, NULL, 1, NULL, NULL), null);
    EXPECT(imsp_pcscf_deadline(node, NULL, NULL), null);
    EXPECT(imsp_pcscf_poll(node, NULL, buffer, sizeof buffer, NULL, NULL), null);
    EXPECT(imsp_pcscf_poll(node, &output, NULL, 1, NULL, NULL), null);
    EXPECT(imsp_pcscf_snapshot(node, 0, NULL, 1, NULL, NULL), null);
    EXPECT(imsp_pcscf_reconfigure(node, NULL, NULL), null);
    EXPECT(imsp_pcscf_counters(node, NULL, NULL), null);
    EXPECT(imsp_pcscf_subscription_counters(node, NULL, 0, NULL, NULL), null);
    EXPECT(imsp_pcscf_registrations(node, NULL, NULL), null);
    EXPECT(imsp_pcscf_is_registered(node, NULL, 0, NULL, NULL), null);
    EXPECT(imsp_pcscf_is_registered(node, NULL, 1, NULL, NULL), null);
    EXPECT(imsp_pcscf_strip_trust_marks(config, NULL, 1, buffer, sizeof buffer, NULL, NULL), null);
    EXPECT(imsp_pcscf_strip_trust_marks(config, asked.bytes, asked.length, NULL, 1, NULL, NULL), null);

    /* Nothing of it has happened. */
    uint64_t registrations = 5;
    OK(imsp_pcscf_registrations(node, &registrations, NULL));
    CHECK(registrations == 0 && other == NULL);
    EXPECT(imsp_pcscf_poll(node, &output, buffer, sizeof buffer, NULL, NULL), IMSP_STATUS_NOTHING);
}

static void struct_sizes(imsp_pcscf *node)
{
    struct {
        imsp_verdict verdict;
        unsigned char more[64];
        unsigned char beyond;
    } later;
    const uint32_t refused[] = {0, 1, 4, FIRST_VERDICT - 1, 4097, UINT32_MAX};
    const uint32_t refused_faults[] = {0, 1, 4, FIRST_FAULT - 1, 4097, UINT32_MAX};
    struct message message = written("nothing");
    imsp_fault fault = new_fault();

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        imsp_verdict verdict = new_verdict();
        verdict.struct_size = refused[i];
        EXPECT(imsp_pcscf_receive(node, 0, IMSP_SOURCE_UE, 1, message.bytes, message.length, &verdict, &fault),
               IMSP_STATUS_STRUCT_SIZE);
        CHECK(verdict.struct_size == refused[i] && verdict.kind == 0xaaaaaaaa);
        CHECK(fault.status == IMSP_STATUS_STRUCT_SIZE);
    }
    for (size_t i = 0; i < sizeof refused_faults / sizeof *refused_faults; i++) {
        imsp_fault other = new_fault();
        other.struct_size = refused_faults[i];
        EXPECT(imsp_pcscf_tick(node, 0, &other), IMSP_STATUS_STRUCT_SIZE);
        CHECK(other.struct_size == refused_faults[i] && other.status == 0xaaaaaaaa);
    }
    imsp_pcscf_output output;
    imsp_deadline deadline;
    imsp_pcscf_counts counts;
    imsp_subscription_counts subscriptions;
    output.struct_size = FIRST_OUTPUT - 1;
    deadline.struct_size = FIRST_DEADLINE - 1;
    counts.struct_size = FIRST_COUNTS - 1;
    subscriptions.struct_size = FIRST_SUBSCRIPTION_COUNTS - 1;
    EXPECT(imsp_pcscf_poll(node, &output, NULL, 0, NULL, NULL), IMSP_STATUS_STRUCT_SIZE);
    EXPECT(imsp_pcscf_deadline(node, &deadline, NULL), IMSP_STATUS_STRUCT_SIZE);
    EXPECT(imsp_pcscf_counters(node, &counts, NULL), IMSP_STATUS_STRUCT_SIZE);
    EXPECT(imsp_pcscf_subscription_counters(node, NULL, 0, &subscriptions, NULL), IMSP_STATUS_STRUCT_SIZE);

    output.struct_size = FIRST_OUTPUT;
    deadline.struct_size = FIRST_DEADLINE;
    counts.struct_size = FIRST_COUNTS;
    subscriptions.struct_size = FIRST_SUBSCRIPTION_COUNTS;
    EXPECT(imsp_pcscf_poll(node, &output, NULL, 0, NULL, NULL), IMSP_STATUS_NOTHING);
    EXPECT(imsp_pcscf_deadline(node, &deadline, NULL), IMSP_STATUS_NOTHING);
    OK(imsp_pcscf_counters(node, &counts, NULL));
    OK(imsp_pcscf_subscription_counters(node, NULL, 0, &subscriptions, NULL));

    /* A caller of a later release: what is not known here is 0, and nothing behind it is touched. */
    memset(&later, 0xaa, sizeof later);
    later.verdict.struct_size = sizeof later.verdict + sizeof later.more;
    OK(imsp_pcscf_receive(node, 0, IMSP_SOURCE_UE, 1, message.bytes, message.length, &later.verdict, &fault));
    CHECK(later.verdict.struct_size == sizeof later.verdict + sizeof later.more);
    CHECK(later.verdict.kind == IMSP_VERDICT_KIND_REJECTED && later.verdict.defect != 0);
    CHECK(strlen(later.verdict.what) > 0 && strncmp(later.verdict.clause, "RFC 3261", 8) == 0);
    CHECK(later.verdict.token == 0 && later.verdict.sip_status == 0);
    for (size_t i = 0; i < sizeof later.more; i++) {
        CHECK(later.more[i] == 0);
    }
    CHECK(later.beyond == 0xaa);
    CHECK(fault.status == IMSP_STATUS_OK && fault.what[0] == 0);
}

static void unknown_values(imsp_pcscf_config *config, imsp_pcscf *node)
{
    const imsp_status unknown = IMSP_STATUS_UNKNOWN_VALUE;
    const uint32_t nothing[] = {0, 999, 0x80000000, UINT32_MAX};
    const uint32_t options[] = {0, 1000, 1999, 2000, 2999, 3000, 3999, UINT32_MAX};
    imsp_verdict verdict = new_verdict();
    struct message message = registering();
    uint64_t number = 5;

    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        EXPECT(imsp_pcscf_receive(node, 0, nothing[i], 1, message.bytes, message.length, &verdict, NULL), unknown);
        EXPECT(imsp_pcscf_command_access_lost(node, 0, NULL, 0, TEXT(CONTACT), 0, nothing[i], &verdict, NULL), unknown);
        EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_NEXT_HOP, nothing[i], NULL), unknown);
        EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_PACING_BAD_CANARIES, nothing[i], NULL), unknown);
        EXPECT(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_PROFILE, nothing[i], NULL), unknown);
        EXPECT(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_PARTY, nothing[i], NULL), unknown);
        EXPECT(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_ROUTING, nothing[i], NULL), unknown);
        EXPECT(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_NETWORK, nothing[i], NULL), unknown);
        EXPECT(imsp_pcscf_config_add_trunk_group(config, TEXT("g"), TEXT("p"), NULL, 0, NULL, 0, nothing[i], NULL),
               unknown);
    }
    EXPECT(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_NETWORK, UINT64_C(0x100000001), NULL),
           unknown);
    EXPECT(imsp_pcscf_answer(node, 0, 1, 0, NULL), unknown);
    EXPECT(imsp_pcscf_answer(node, 0, 1, 999, NULL), unknown);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        EXPECT(imsp_pcscf_config_set_number(config, options[i], 1, NULL), unknown);
        EXPECT(imsp_pcscf_config_number(config, options[i], &number, NULL), unknown);
        EXPECT(imsp_pcscf_config_set_text(config, options[i], TEXT("a"), NULL), unknown);
        EXPECT(imsp_pcscf_config_add_text(config, options[i], TEXT("a"), NULL), unknown);
    }
    CHECK(number == 5 && verdict.kind == 0xaaaaaaaa);
}

static void set_and_get(imsp_pcscf_config *config, uint32_t option, uint64_t before, uint64_t number)
{
    uint64_t found = 0;
    OK(imsp_pcscf_config_number(config, option, &found, NULL));
    CHECK(found == before);
    OK(imsp_pcscf_config_set_number(config, option, number, NULL));
    OK(imsp_pcscf_config_number(config, option, &found, NULL));
    CHECK(found == number);
    OK(imsp_pcscf_config_set_number(config, option, before, NULL));
}

static void options(void)
{
    imsp_pcscf_config *config = configured();
    set_and_get(config, IMSP_PCSCF_OPTION_ATTEMPTS, 3, 16);
    set_and_get(config, IMSP_PCSCF_OPTION_ANSWER_BOUND, 40000, UINT64_MAX);
    set_and_get(config, IMSP_PCSCF_OPTION_RETRY_AFTER_LIMIT, 120, UINT32_MAX);
    set_and_get(config, IMSP_PCSCF_OPTION_INTEGRITY_PROTECTED, 1, 0);
    set_and_get(config, IMSP_PCSCF_OPTION_NEXT_HOP, IMSP_NEXT_HOP_HOME_ENTRY_POINT, IMSP_NEXT_HOP_SERVICE_ROUTE);
    set_and_get(config, IMSP_PCSCF_OPTION_UDP_LIMIT, 1300, 1400);
    set_and_get(config, IMSP_SUBSCRIPTION_OPTION_PROFILE, IMSP_PROFILE_SBC, IMSP_PROFILE_RFC6665);
    set_and_get(config, IMSP_SUBSCRIPTION_OPTION_PARTY, IMSP_PARTY_ELEMENT, IMSP_PARTY_UE);
    set_and_get(config, IMSP_SUBSCRIPTION_OPTION_ROUTING, IMSP_ROUTING_ENTRY_POINTS, IMSP_ROUTING_QUESTION);
    set_and_get(config, IMSP_SUBSCRIPTION_OPTION_NETWORK, IMSP_NETWORK_HOME, IMSP_NETWORK_VISITED);
    set_and_get(config, IMSP_SUBSCRIPTION_OPTION_QUIRK_RESTARTED_COUNT, 0, 1);
    set_and_get(config, IMSP_SUBSCRIPTION_OPTION_UDP_LIMIT, 1300, 1400);
    set_and_get(config, IMSP_LIMIT_USERS, 1048576, 10);
    set_and_get(config, IMSP_LIMIT_XML_DEPTH, 16, 17);

    EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_ATTEMPTS, 256, NULL), IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_INTEGRITY_PROTECTED, 2, NULL),
           IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_RETRY_AFTER_LIMIT, UINT64_C(1) << 32, NULL),
           IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_config_add_signalling_profile(config, TEXT("p"), 2, NULL), IMSP_STATUS_OUT_OF_RANGE);
    EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_ENTRY_POINTS, 1, NULL), IMSP_STATUS_WRONG_TYPE);
    EXPECT(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_VISITED_NETWORK_ID, 1, NULL),
           IMSP_STATUS_WRONG_TYPE);
    EXPECT(imsp_pcscf_config_set_text(config, IMSP_PCSCF_OPTION_ENTRY_POINTS, TEXT("sip:a"), NULL),
           IMSP_STATUS_WRONG_TYPE);
    EXPECT(imsp_pcscf_config_add_text(config, IMSP_PCSCF_OPTION_ATTEMPTS, TEXT("3"), NULL), IMSP_STATUS_WRONG_TYPE);
    OK(imsp_pcscf_config_set_text(config, IMSP_PCSCF_OPTION_VISITED_NETWORK_ID, TEXT("other"), NULL));
    OK(imsp_pcscf_config_add_text(config, IMSP_PCSCF_OPTION_ENTRY_POINTS, TEXT("sip:icscf.example.net"), NULL));
    OK(imsp_pcscf_config_set_subscriber(config, TEXT("sip:other.example.net"), TEXT(IOI), NULL));
    OK(imsp_pcscf_config_check(config, NULL));
    imsp_pcscf_config_free(config);
}

/* The configuration cannot work because of this field, and no node is made of it. */
static void expect_field(const imsp_pcscf_config *config, const char *field)
{
    unsigned char seed[32] = {0};
    imsp_pcscf *node = NULL;
    imsp_fault fault = new_fault();
    EXPECT(imsp_pcscf_config_check(config, &fault), IMSP_STATUS_CONFIG);
    CHECK(strcmp(fault.field, field) == 0 && fault.what[0] != 0);
    fault = new_fault();
    EXPECT(imsp_pcscf_new(config, seed, sizeof seed, 1, 1, 1, &node, &fault), IMSP_STATUS_CONFIG);
    CHECK(node == NULL && fault.status == IMSP_STATUS_CONFIG && strcmp(fault.field, field) == 0);
}

static void config_errors(imsp_pcscf *node)
{
    imsp_fault fault = new_fault();
    imsp_pcscf_config *config = NULL;
    EXPECT(imsp_pcscf_config_new(TEXT("tel:1"), TEXT(IOI), TEXT(VISITED), &config, &fault), IMSP_STATUS_CONFIG);
    CHECK(config == NULL && strcmp(fault.field, "uri") == 0);
    EXPECT(imsp_pcscf_config_new(TEXT(URI), TEXT("a b"), TEXT(VISITED), &config, &fault), IMSP_STATUS_CONFIG);
    CHECK(config == NULL && strcmp(fault.field, "ioi") == 0);
    EXPECT(imsp_pcscf_config_new(TEXT(URI), NULL, 0, TEXT(VISITED), &config, &fault), IMSP_STATUS_CONFIG);
    CHECK(config == NULL && strcmp(fault.field, "ioi") == 0);

    config = configured();
    EXPECT(imsp_pcscf_config_set_subscriber(config, TEXT("mailto:a@b"), TEXT(IOI), &fault), IMSP_STATUS_CONFIG);
    CHECK(strcmp(fault.field, "uri") == 0);
    OK(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_ATTEMPTS, 17, NULL));
    expect_field(config, "attempts");
    EXPECT(imsp_pcscf_reconfigure(node, config, &fault), IMSP_STATUS_CONFIG);
    CHECK(strcmp(fault.field, "attempts") == 0 && strcmp(fault.what, "not between 1 and 16") == 0);
    OK(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_ATTEMPTS, 1, NULL));
    OK(imsp_pcscf_reconfigure(node, config, &fault));
    CHECK(fault.status == IMSP_STATUS_OK && fault.field[0] == 0);
    OK(imsp_pcscf_config_set_text(config, IMSP_PCSCF_OPTION_VISITED_NETWORK_ID, NULL, 0, NULL));
    expect_field(config, "visited_network_id");
    OK(imsp_pcscf_config_set_text(config, IMSP_PCSCF_OPTION_VISITED_NETWORK_ID, TEXT("v"), NULL));
    OK(imsp_pcscf_config_set_number(config, IMSP_LIMIT_CONTACTS, 65, NULL));
    expect_field(config, "limits.contacts");
    OK(imsp_pcscf_config_set_number(config, IMSP_LIMIT_CONTACTS, 16, NULL));
    OK(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_TIMER_N, 0, NULL));
    expect_field(config, "subscription.timer_n");
    OK(imsp_pcscf_config_set_number(config, IMSP_SUBSCRIPTION_OPTION_TIMER_N, 1, NULL));
    OK(imsp_pcscf_config_add_trunk_group(config, TEXT("g"), TEXT("p"), TEXT("a"), TEXT("d"), IMSP_NETWORK_HOME, NULL));
    expect_field(config, "subscription.trunk_groups");
    OK(imsp_pcscf_config_add_signalling_profile(config, TEXT("p"), 1, NULL));
    OK(imsp_pcscf_config_check(config, NULL));
    OK(imsp_pcscf_config_add_loss_rule(config, 0, 1, 3, 0, 60000, NULL));
    OK(imsp_pcscf_config_check(config, NULL));
    OK(imsp_pcscf_config_add_loss_rule(config, 0, 0, 0, 0, 60000, NULL));
    expect_field(config, "loss.rules");
    OK(imsp_pcscf_config_clear_loss_rules(config, NULL));
    OK(imsp_pcscf_config_check(config, NULL));
    OK(imsp_pcscf_config_add_text(config, IMSP_SUBSCRIPTION_OPTION_ENTRY_POINTS, TEXT("nowhere"), NULL));
    expect_field(config, "entry_points");
    imsp_pcscf_config_free(config);
}

static void bad_beginnings(const imsp_pcscf_config *config)
{
    unsigned char seed[33] = {0};
    imsp_pcscf *node = NULL;
    imsp_fault fault = new_fault();
    const imsp_status range = IMSP_STATUS_OUT_OF_RANGE;
    EXPECT(imsp_pcscf_new(config, seed, 31, 1, 1, 1, &node, NULL), range);
    EXPECT(imsp_pcscf_new(config, seed, 33, 1, 1, 1, &node, NULL), range);
    EXPECT(imsp_pcscf_new(config, NULL, 0, 1, 1, 1, &node, NULL), range);
    EXPECT(imsp_pcscf_new(config, seed, SIZE_MAX, 1, 1, 1, &node, NULL), range);
    EXPECT(imsp_pcscf_new(config, seed, 32, 1, 1, 0, &node, NULL), range);
    EXPECT(imsp_pcscf_new(config, seed, 32, 1, 1, 1025, &node, NULL), range);
    EXPECT(imsp_pcscf_restore(config, seed, 31, 1, 1, 1, 0, TEXT("x"), &node, NULL), range);
    EXPECT(imsp_pcscf_restore(config, seed, 32, 1, 1, 1, 0, NULL, 0, &node, NULL), IMSP_STATUS_NOT_A_SNAPSHOT);
    EXPECT(imsp_pcscf_restore(config, seed, 32, 1, 1, 1, 0, TEXT("IMSP\x7f\0\1\0\0\0\0\0\0\0\0\0"), &node, NULL),
           IMSP_STATUS_WRONG_KIND);
    CHECK(node == NULL);

    imsp_pcscf *from = node_of(config);
    unsigned char blob[256];
    size_t length = 0;
    OK(imsp_pcscf_snapshot(from, 0, blob, sizeof blob, &length, NULL));
    blob[length - 1] ^= 1;
    EXPECT(imsp_pcscf_restore(config, seed, 32, 1, 1, 1, 0, blob, length, &node, NULL), IMSP_STATUS_DAMAGED);
    blob[7] = 0x7f;
    EXPECT(imsp_pcscf_restore(config, seed, 32, 1, 1, 1, 0, blob, length, &node, &fault),
           IMSP_STATUS_UNSUPPORTED_FORMAT);
    CHECK(node == NULL && fault.snapshot_format >= 0x7f00);
    imsp_pcscf_free(from);
}

static uint64_t take_token(imsp_pcscf *node)
{
    static char buffer[65536];
    imsp_pcscf_output output;
    output.struct_size = sizeof output;
    do {
        OK(imsp_pcscf_poll(node, &output, buffer, sizeof buffer, NULL, NULL));
    } while (output.kind == IMSP_OUTPUT_KIND_EVENT);
    CHECK(output.kind == IMSP_OUTPUT_KIND_REQUEST);
    EXPECT(imsp_pcscf_poll(node, &output, buffer, sizeof buffer, NULL, NULL), IMSP_STATUS_NOTHING);
    return output.token;
}

static void commands_and_tokens(const imsp_pcscf_config *config)
{
    imsp_pcscf *node = node_of(config);
    struct message asked = registering(), given = registered();
    imsp_verdict verdict = new_verdict();
    imsp_fault fault = new_fault();

    EXPECT(imsp_pcscf_command_learn(node, 0, given.bytes, given.length, given.bytes, given.length, NULL, 0, &verdict,
                                    &fault),
           IMSP_STATUS_BAD_COMMAND);
    CHECK(fault.status == IMSP_STATUS_BAD_COMMAND && fault.defect == 400 && fault.at == 0);
    CHECK(strcmp(fault.what, "not a REGISTER request") == 0 && strcmp(fault.clause, "RFC 3261 10.2") == 0);
    EXPECT(imsp_pcscf_command_learn(node, 0, TEXT("REGISTER sip:a SIP/2.0\r\nno header\r\n\r\n"), given.bytes,
                                    given.length, NULL, 0, &verdict, &fault),
           IMSP_STATUS_BAD_COMMAND);
    CHECK(fault.at == 26 && fault.defect != 400);
    EXPECT(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, TEXT("nowhere"),
                                    &verdict, NULL),
           IMSP_STATUS_NO_SUCH_THING);
    CHECK(verdict.kind == 0xaaaaaaaa);
    OK(imsp_pcscf_command_access_lost(node, 0, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_NOT_MINE);

    OK(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, &verdict,
                                NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_HANDLED);
    uint32_t is_registered = 5;
    OK(imsp_pcscf_is_registered(node, TEXT(CONTACT), &is_registered, NULL));
    CHECK(is_registered == 1);
    OK(imsp_pcscf_is_registered(node, TEXT("sip:nobody.example.net"), &is_registered, NULL));
    CHECK(is_registered == 0);
    OK(imsp_pcscf_is_access_lost(node, TEXT(CONTACT), &is_registered, NULL));
    CHECK(is_registered == 0);

    /* The SUBSCRIBE was not taken yet: there is no room for what a call could bring. */
    EXPECT(imsp_pcscf_tick(node, 0, &fault), IMSP_STATUS_OUTBOX_FULL);
    EXPECT(imsp_pcscf_command_access_lost(node, 0, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL),
           IMSP_STATUS_OUTBOX_FULL);
    uint64_t token = take_token(node);
    OK(imsp_pcscf_tick(node, 0, NULL));

    EXPECT(imsp_pcscf_answer(node, 0, token + 1, IMSP_ANSWER_TIMEOUT, NULL), IMSP_STATUS_UNKNOWN_TOKEN);
    EXPECT(imsp_pcscf_answer_response(node, 0, 0, given.bytes, given.length, NULL), IMSP_STATUS_UNKNOWN_TOKEN);
    EXPECT(imsp_pcscf_answer(node, 0, token, IMSP_ANSWER_DONE, NULL), IMSP_STATUS_WRONG_ANSWER);
    EXPECT(imsp_pcscf_answer(node, 0, token, IMSP_ANSWER_STORED, NULL), IMSP_STATUS_WRONG_ANSWER);

    /* A loss, and its REGISTER is not answered for the answer to be late. */
    OK(imsp_pcscf_command_protected(node, 1, NULL, 0, TEXT(CONTACT), 0, 0, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_HANDLED);
    OK(imsp_pcscf_command_heard(node, 1, NULL, 0, TEXT("sip:nobody.example.net"), 0, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_NOT_MINE);
    OK(imsp_pcscf_command_heard(node, 1, TEXT("nobody@example.net"), TEXT(CONTACT), 0, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_NOT_MINE);
    OK(imsp_pcscf_command_access_lost(node, 1, NULL, 0, TEXT(CONTACT), 77, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_NOT_MINE);
    OK(imsp_pcscf_command_access_lost(node, 1, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_FLOW_CLOSED, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_HANDLED);
    OK(imsp_pcscf_command_access_lost(node, 1, NULL, 0, TEXT(CONTACT), 0, IMSP_EVIDENCE_BEARER_LOST, &verdict, NULL));
    OK(imsp_pcscf_is_access_lost(node, TEXT(CONTACT), &is_registered, NULL));
    CHECK(is_registered == 1);
    uint64_t lost = take_token(node);
    EXPECT(imsp_pcscf_answer(node, 2, lost, IMSP_ANSWER_NO_ROUTE, NULL), IMSP_STATUS_WRONG_ANSWER);
    OK(imsp_pcscf_answer(node, 2, lost, IMSP_ANSWER_UNREACHABLE, NULL));
    OK(imsp_pcscf_answer(node, 3, lost, IMSP_ANSWER_UNREACHABLE, NULL));
    imsp_pcscf_counts counts;
    counts.struct_size = sizeof counts;
    OK(imsp_pcscf_counters(node, &counts, NULL));
    CHECK(counts.stale_answers == 1 && counts.learned == 1 && counts.access_lost == 1);
    OK(imsp_pcscf_tick(node, 1, NULL));
    OK(imsp_pcscf_counters(node, &counts, NULL));
    CHECK(counts.time_backwards == 1);
    imsp_pcscf_free(node);
}

/* A user is shut down: first what that would be, then with no time left. The record of it comes after its outcome. */
static void shutting_down(imsp_pcscf_config *config)
{
    OK(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_AUDIT, 1, NULL));
    static char buffer[65536];
    imsp_pcscf *node = node_of(config);
    struct message asked = registering(), given = registered();
    imsp_verdict verdict = new_verdict();
    imsp_pcscf_output output;
    output.struct_size = sizeof output;

    OK(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, &verdict,
                                NULL));
    take_token(node);
    OK(imsp_pcscf_command_resume(node, 1, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_NOT_MINE);
    OK(imsp_pcscf_command_dialogs_changed(node, 1, NULL, 0, TEXT(CONTACT), 0, 1, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_HANDLED);
    OK(imsp_pcscf_command_shutdown(node, 1, 60000, 0, 0, 0, 1, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_HANDLED);
    OK(imsp_pcscf_tick(node, 1, NULL));
    OK(imsp_pcscf_poll(node, &output, buffer, sizeof buffer, NULL, NULL));
    CHECK(output.kind == IMSP_OUTPUT_KIND_EVENT && output.what == IMSP_PCSCF_EVENT_SHUTDOWN_PLANNED);
    CHECK(output.registrations == 1 && output.in_dialog == 1 && output.emergency == 0 && output.wait == 10);
    OK(imsp_pcscf_receive(node, 1, IMSP_SOURCE_UE, 1, asked.bytes, asked.length, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_FORWARD);

    OK(imsp_pcscf_command_shutdown(node, 1, 1, 100, 10, 0, 0, &verdict, NULL));
    OK(imsp_pcscf_receive(node, 1, IMSP_SOURCE_UE, 1, asked.bytes, asked.length, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_REFUSE && verdict.sip_status == 503 && verdict.retry_after == 10);
    uint32_t outcome = 0, not_asked = 0, ended = 0, records = 0;
    struct message key = {0};
    for (int i = 0; i < 100 && !ended; i++) {
        imsp_status status = imsp_pcscf_poll(node, &output, buffer, sizeof buffer, NULL, NULL);
        if (status == IMSP_STATUS_NOTHING) {
            OK(imsp_pcscf_tick(node, records ? 3 : 1, NULL));
        } else if (output.kind == IMSP_OUTPUT_KIND_ASK) {
            OK(imsp_pcscf_answer(node, 3, output.token, IMSP_ANSWER_DONE, NULL));
        } else if (output.kind == IMSP_OUTPUT_KIND_EVENT && output.what == IMSP_PCSCF_EVENT_DEREGISTERED) {
            CHECK(output.cause == IMSP_PCSCF_CAUSE_SHUTDOWN);
            outcome = output.outcome;
            not_asked = output.not_asked;
            key.length = output.key.length;
            CHECK(key.length > 0 && key.length <= sizeof key.bytes);
            memcpy(key.bytes, buffer + output.key.offset, key.length);
        } else if (output.kind == IMSP_OUTPUT_KIND_EVENT && output.what == IMSP_PCSCF_EVENT_AUDITED) {
            records++;
            CHECK(outcome != 0 && output.outcome == outcome && output.not_asked == not_asked);
            CHECK(output.cause == IMSP_PCSCF_CAUSE_SHUTDOWN && output.initiator == IMSP_INITIATOR_OPERATOR);
            CHECK(output.began_known == 1 && output.began == 1 && output.ended == 3);
            CHECK(output.resumed == 0 && output.given_up == 0 && output.registers == 0);
            CHECK(output.key.length == key.length && !memcmp(buffer + output.key.offset, key.bytes, key.length));
            CHECK(output.private_identity.length > 0 && output.contact.length == sizeof CONTACT - 1);
        } else if (output.kind == IMSP_OUTPUT_KIND_EVENT && output.what == IMSP_PCSCF_EVENT_SHUTDOWN_ENDED) {
            ended = output.tally[IMSP_PCSCF_OUTCOME_NOT_ASKED - 1];
        }
    }
    CHECK(ended == 1 && outcome == IMSP_PCSCF_OUTCOME_NOT_ASKED);
    CHECK(not_asked == IMSP_PCSCF_NOT_ASKED_DEADLINE && records == 1);
    OK(imsp_pcscf_config_set_number(config, IMSP_PCSCF_OPTION_AUDIT, 0, NULL));
    OK(imsp_pcscf_command_resume(node, 3, &verdict, NULL));
    CHECK(verdict.kind == IMSP_VERDICT_KIND_HANDLED);
    imsp_pcscf_free(node);
}

static void full_node(void)
{
    imsp_pcscf_config *config = configured();
    OK(imsp_pcscf_config_set_number(config, IMSP_LIMIT_USERS, 0, NULL));
    OK(imsp_pcscf_config_set_number(config, IMSP_LIMIT_REGISTRATION_BYTES, 100, NULL));
    imsp_pcscf *node = node_of(config);
    struct message asked = registering(), given = registered();
    imsp_verdict verdict = new_verdict();
    imsp_fault fault = new_fault();
    EXPECT(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, &verdict,
                                    &fault),
           IMSP_STATUS_TOO_LARGE);
    CHECK(strcmp(fault.field, "registration_bytes") == 0 && fault.what[0] != 0);
    OK(imsp_pcscf_config_set_number(config, IMSP_LIMIT_REGISTRATION_BYTES, 8192, NULL));
    OK(imsp_pcscf_reconfigure(node, config, NULL));
    EXPECT(imsp_pcscf_command_learn(node, 0, asked.bytes, asked.length, given.bytes, given.length, NULL, 0, &verdict,
                                    NULL),
           IMSP_STATUS_NODE_FULL);
    imsp_pcscf_free(node);
    imsp_pcscf_config_free(config);
}

static void trust_marks(const imsp_pcscf_config *config)
{
    struct message request = registering();
    struct message doubtful = written("REGISTER sip:a SIP/2.0\r\nAuthorization: Digest a=\"b\r\n\r\n");
    char buffer[sizeof request.bytes];
    imsp_fault fault = new_fault();
    size_t length = 0;
    EXPECT(imsp_pcscf_strip_trust_marks(config, request.bytes, request.length, NULL, 0, &length, NULL),
           IMSP_STATUS_BUFFER_TOO_SMALL);
    CHECK(length > 0 && length < request.length);
    size_t needed = length;
    buffer[0] = 'x';
    EXPECT(imsp_pcscf_strip_trust_marks(config, request.bytes, request.length, buffer, needed - 1, &length, NULL),
           IMSP_STATUS_BUFFER_TOO_SMALL);
    CHECK(length == needed && buffer[0] == 'x');
    OK(imsp_pcscf_strip_trust_marks(config, request.bytes, request.length, buffer, needed, &length, NULL));
    buffer[length] = 0;
    CHECK(length == needed && strlen(buffer) == length);
    CHECK(strstr(buffer, "integrity-protected") == NULL && strstr(buffer, "Path:") == NULL);
    CHECK(strstr(buffer, "username=\"" PRIVATE "\"") != NULL);
    EXPECT(imsp_pcscf_strip_trust_marks(config, TEXT("nothing"), buffer, sizeof buffer, NULL, &fault),
           IMSP_STATUS_NOT_SIP);
    CHECK(fault.defect != 0);
    EXPECT(imsp_pcscf_strip_trust_marks(config, doubtful.bytes, doubtful.length, buffer, sizeof buffer, NULL, &fault),
           IMSP_STATUS_BAD_CREDENTIALS);
    CHECK(fault.defect != 0 && fault.at > 0);
}

int main(void)
{
    imsp_pcscf_config *config = configured();
    imsp_pcscf *node = node_of(config);
    sizes();
    versions();
    null_handles();
    null_arguments(config, node);
    struct_sizes(node);
    unknown_values(config, node);
    options();
    config_errors(node);
    bad_beginnings(config);
    commands_and_tokens(config);
    shutting_down(config);
    full_node();
    trust_marks(config);
    imsp_pcscf_config_free(config);
    imsp_pcscf_free(node);
    puts("done");
    return 0;
}
