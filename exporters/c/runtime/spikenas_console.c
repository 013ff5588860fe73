/**
 * @file spikenas_console.c
 * The console described in spikenas_console.h.
 */
#include "spikenas_console.h"

#define START '~'
#define END '*'
#define REQUEST "SPK?"
#define ANSWER "SPK!"
#define MARK_LENGTH 4u
#define SEQUENCE_DIGITS 4u
#define DIGITS 8u
/* Mark, sequence number, space, command; asterisk and CRC. */
#define HEAD_LENGTH (MARK_LENGTH + SEQUENCE_DIGITS + 2u)
#define TAIL_LENGTH (1u + DIGITS)
/* What a CRC begins with, and is complemented with. */
#define ONES 0xFFFFFFFFu
#define FORM "form"
#define RANGE "range"

/** What is still to be read of a request. */
typedef struct {
    const char *at;
    uint32_t left;
} cursor;

static uint32_t crc32(uint32_t crc, uint8_t byte)
{
    uint32_t bit;

    crc ^= byte;
    for (bit = 0; bit < 8u; bit++) {
        crc = (crc >> 1) ^ ((crc & 1u) ? 0xEDB88320u : 0u);
    }
    return crc;
}

static void send(spikenas_console *console, char character)
{
    console->crc = crc32(console->crc, (uint8_t)character);
    console->put(console->context, (uint8_t)character);
}

static void send_text(spikenas_console *console, const char *text)
{
    for (; *text; text++) {
        send(console, *text);
    }
}

static void send_hex(spikenas_console *console, uint32_t value, uint32_t digits)
{
    while (digits--) {
        send(console, "0123456789abcdef"[(value >> (4u * digits)) & 15u]);
    }
}

static void send_number(spikenas_console *console, uint32_t value)
{
    send(console, ' ');
    send_hex(console, value, DIGITS);
}

/** A word of the network's own description, up to `limit` characters; what would break a frame becomes '_'. */
static void send_word(spikenas_console *console, const char *word, uint32_t limit)
{
    send(console, ' ');
    for (; limit && *word; word++, limit--) {
        send(console, *word > ' ' && *word < START && *word != END ? *word : '_');
    }
}

static void begin(spikenas_console *console, const char *sequence, char command)
{
    uint32_t k;

    console->put(console->context, (uint8_t)START);
    console->crc = ONES;
    send_text(console, ANSWER);
    for (k = 0; k < SEQUENCE_DIGITS; k++) {
        send(console, sequence[k]);
    }
    send(console, ' ');
    send(console, command);
}

static void end(spikenas_console *console)
{
    const uint32_t crc = console->crc ^ ONES;

    send(console, END);
    send_hex(console, crc, DIGITS);
    send_text(console, "\r\n");
}

static void refuse(spikenas_console *console, const char *sequence, const char *why)
{
    begin(console, sequence, 'E');
    send(console, ' ');
    send_text(console, why);
    end(console);
}

/** The value of a hexadecimal digit, 16 of anything else. */
static uint32_t digit(char character)
{
    if (character >= '0' && character <= '9') {
        return (uint32_t)(character - '0');
    }
    if (character >= 'a' && character <= 'f') {
        return (uint32_t)(character - 'a') + 10u;
    }
    return 16u;
}

/** Read `digits` digits, at most 8: 1 if they are there. */
static int read_hex(cursor *from, uint32_t digits, uint32_t *value)
{
    uint32_t found = 0;

    if (from->left < digits) {
        return 0;
    }
    for (from->left -= digits; digits; digits--, from->at++) {
        const uint32_t next = digit(*from->at);

        if (next > 15u) {
            return 0;
        }
        found = (found << 4) | next;
    }
    *value = found;
    return 1;
}

/** Read a space and a number. */
static int read_number(cursor *from, uint32_t *value)
{
    if (!from->left || *from->at != ' ') {
        return 0;
    }
    from->at++;
    from->left--;
    return read_hex(from, DIGITS, value);
}

/* A function a command: it sends the answer, or returns the word that says what is wrong. */

static const char *identify(spikenas_console *console, const char *sequence, cursor arguments)
{
    const spikenas_console_network *const network = console->network;
    uint32_t k;

    if (arguments.left) {
        return FORM;
    }
    begin(console, sequence, 'I');
    send_number(console, SPIKENAS_CONSOLE_PROTOCOL);
    send_number(console, network->image_bytes);
    send_number(console, network->outputs);
    send_number(console, SPIKENAS_CONSOLE_DATA_BYTES);
    send_number(console, network->counter_hz);
    send_number(console, network->clock_hz);
    send(console, ' ');
    for (k = 0; k < sizeof(network->info->sha256); k++) {
        send_hex(console, network->info->sha256[k], 2);
    }
    send_word(console, network->prefix, 31u);
    send_word(console, network->info->version, sizeof(network->info->version));
    send_word(console, network->info->compiler, sizeof(network->info->compiler));
    end(console);
    return 0;
}

static const char *test(spikenas_console *console, const char *sequence, cursor arguments)
{
    int passed;

    if (arguments.left) {
        return FORM;
    }
    /* Run before the answer begins, so that what the firmware logs meanwhile does not come between. */
    passed = console->network->self_test(console->network->scores);
    console->done = 0;
    begin(console, sequence, 'T');
    send_number(console, passed ? 1u : 0u);
    end(console);
    return 0;
}

static const char *write(spikenas_console *console, const char *sequence, cursor arguments)
{
    const spikenas_console_network *const network = console->network;
    cursor check;
    uint32_t offset, value;

    if (!read_number(&arguments, &offset) || !arguments.left || *arguments.at != ' ' || !(arguments.left & 1u)) {
        return FORM;
    }
    arguments.at++;
    arguments.left--;
    if (offset > network->image_bytes || arguments.left / 2u > network->image_bytes - offset) {
        return RANGE;
    }
    for (check = arguments; check.left;) {
        if (!read_hex(&check, 2, &value)) {
            return FORM;
        }
    }
    while (read_hex(&arguments, 2, &value)) {
        network->image[offset++] = (uint8_t)value;
    }
    begin(console, sequence, 'W');
    send_number(console, offset);
    end(console);
    return 0;
}

static const char *run(spikenas_console *console, const char *sequence, cursor arguments)
{
    const spikenas_console_network *const network = console->network;
    uint32_t wanted, before, counts = 0, crc = ONES, k;

    if (!read_number(&arguments, &wanted) || arguments.left) {
        return FORM;
    }
    for (k = 0; k < network->image_bytes; k++) {
        crc = crc32(crc, network->image[k]);
    }
    if (wanted != (crc ^ ONES)) {
        return "image";
    }
    if (network->counter) {
        before = network->counter();
        network->infer(network->image, network->scores);
        counts = network->counter() - before;
    } else {
        network->infer(network->image, network->scores);
    }
    console->done = 1;
    begin(console, sequence, 'R');
    send_number(console, network->counter ? 1u : 0u);
    send_number(console, counts);
    end(console);
    return 0;
}

static const char *scores(spikenas_console *console, const char *sequence, cursor arguments)
{
    const spikenas_console_network *const network = console->network;
    uint32_t first, count, k;

    if (!read_number(&arguments, &first) || arguments.left) {
        return FORM;
    }
    if (!console->done) {
        return "idle";
    }
    if (first >= network->outputs) {
        return RANGE;
    }
    count = network->outputs - first;
    count = count < SPIKENAS_CONSOLE_SCORES ? count : SPIKENAS_CONSOLE_SCORES;
    begin(console, sequence, 'S');
    send_number(console, first);
    send_number(console, count);
    for (k = 0; k < count; k++) {
        send_number(console, (uint32_t)network->scores[first + k]);
    }
    end(console);
    return 0;
}

static const char *carry_out(spikenas_console *console, const char *sequence, char command, cursor arguments)
{
    switch (command) {
    case 'I':
        return identify(console, sequence, arguments);
    case 'T':
        return test(console, sequence, arguments);
    case 'W':
        return write(console, sequence, arguments);
    case 'R':
        return run(console, sequence, arguments);
    case 'S':
        return scores(console, sequence, arguments);
    default:
        return FORM;
    }
}

/** The answer to a frame that is not whole, or not as it was sent: its own sequence number cannot be believed. */
static void damaged(spikenas_console *console)
{
    refuse(console, "0000", "crc");
}

/** A whole frame has come: check it, then carry it out. */
static void receive(spikenas_console *console)
{
    const char *const line = console->line, *const sequence = line + MARK_LENGTH;
    const char *wrong;
    cursor tail, number, arguments;
    uint32_t crc = ONES, k, value;

    if (console->length < HEAD_LENGTH + TAIL_LENGTH) {
        damaged(console);
        return;
    }
    for (k = 0; k < console->length - TAIL_LENGTH; k++) {
        crc = crc32(crc, (uint8_t)line[k]);
    }
    tail.at = line + console->length - DIGITS;
    tail.left = DIGITS;
    number.at = sequence;
    number.left = SEQUENCE_DIGITS;
    if (tail.at[-1] != END || !read_hex(&tail, DIGITS, &value) || value != (crc ^ ONES) ||
        !read_hex(&number, SEQUENCE_DIGITS, &value) || sequence[SEQUENCE_DIGITS] != ' ') {
        damaged(console);
        return;
    }
    arguments.at = line + HEAD_LENGTH;
    arguments.left = console->length - HEAD_LENGTH - TAIL_LENGTH;
    wrong = carry_out(console, sequence, line[HEAD_LENGTH - 1u], arguments);
    if (wrong) {
        refuse(console, sequence, wrong);
    }
}

void spikenas_console_start(
    spikenas_console *console, const spikenas_console_network *network, spikenas_console_put put, void *context)
{
    console->network = network;
    console->put = put;
    console->context = context;
    console->crc = 0;
    console->length = 0;
    console->open = 0;
    console->done = 0;
}

int spikenas_console_feed(spikenas_console *console, uint8_t byte)
{
    if (byte == START) {
        console->open = 1;
        console->length = 0;
        return 1;
    }
    if (!console->open) {
        return 0;
    }
    if (byte == '\r' || byte == '\n') {
        console->open = 0;
        if (console->length >= MARK_LENGTH) {
            receive(console);
            return 1;
        }
        return 0;
    }
    if (console->length == SPIKENAS_CONSOLE_LINE_BYTES ||
        (console->length < MARK_LENGTH && byte != (uint8_t)REQUEST[console->length])) {
        console->open = 0;
        return 0;
    }
    console->line[console->length++] = (char)byte;
    return 1;
}
