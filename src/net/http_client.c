#include "net/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 10000, TOTAL_TIMEOUT_MS = 30000 };

static size_t
take_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct buffer *body = ctx;

    buffer_add(body, span_of(bytes, size * n)); /* curl: size is 1 */
    return body->failed ? 0 : size * n;
}

static bool
set_url(CURL *curl, const struct http_get *request)
{
    return curl_easy_setopt(curl, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
}

static long
timeout_or(uint64_t timeout_ms, long fallback)
{
    if (timeout_ms == 0)
        return fallback;
    return timeout_ms > 3600000 ? 3600000 : (long)timeout_ms;
}

static bool
set_limits(CURL *curl, const struct http_get *request)
{
    return curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            timeout_or(request->connect_timeout_ms,
                                       CONNECT_TIMEOUT_MS)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                            timeout_or(request->total_timeout_ms,
                                       TOTAL_TIMEOUT_MS)) == CURLE_OK;
}

static bool
set_body(CURL *curl, struct buffer *body, char error[CURL_ERROR_SIZE])
{
    return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
}

static bool
set_request(CURL *curl, const struct http_get *request,
            struct curl_slist **headers)
{
    char accept[128];

    if (request->ca_file &&
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file) != CURLE_OK)
        return false;
    if (!request->accept)
        return true;
    (void)snprintf(accept, sizeof(accept), "Accept: %s", request->accept);
    *headers = curl_slist_append(NULL, accept);
    return *headers &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers) == CURLE_OK;
}

static enum assay_status
fail_curl(struct assay_error *err, const struct http_get *request, CURLcode rc,
          const struct buffer *body, const char *detail)
{
    enum assay_status st = ASSAY_ERR_IO;

    if (rc == CURLE_WRITE_ERROR && body->failed) {
        st = buffer_check(body, "answer", err);
        return assay_context(err, st, "GET %.120s", request->url);
    }
    if (rc == CURLE_PEER_FAILED_VERIFICATION)
        st = ASSAY_ERR_UNTRUSTED;
    else if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT)
        st = ASSAY_ERR_UNSUPPORTED;
    else if (rc == CURLE_OUT_OF_MEMORY)
        st = ASSAY_ERR_NOMEM;
    return assay_fail(err, st, "GET %.120s: %s", request->url,
                      detail[0] ? detail : curl_easy_strerror(rc));
}

static int64_t
retry_after(CURL *curl)
{
    struct curl_header *header;
    int64_t seconds = 0;

    if (curl_easy_header(curl, "Retry-After", 0, CURLH_HEADER, -1, &header) !=
        CURLHE_OK)
        return -1;
    for (const char *c = header->value; *c; c++) {
        if (*c < '0' || *c > '9' || seconds > 1000000)
            return -1; /* a date, or absurd */
        seconds = seconds * 10 + (*c - '0');
    }
    return header->value[0] ? seconds : -1;
}

static void
describe(CURL *curl, struct http_reply *reply)
{
    const char *type = NULL;
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    *reply = (struct http_reply){ .status = (unsigned)status,
                                  .retry_after_s = retry_after(curl) };
    if (type && strlen(type) < sizeof(reply->content_type))
        memcpy(reply->content_type, type, strlen(type));
}

/* The last one, if there are several; none is fine. */
static enum assay_status
take_header(CURL *curl, const struct http_get *request, struct assay_error *err)
{
    struct curl_header *header;

    if (!request->want_header ||
        curl_easy_header(curl, request->want_header, 0, CURLH_HEADER, -1,
                         &header) != CURLHE_OK)
        return ASSAY_OK;
    buffer_add_str(request->header, header->value);
    return buffer_check(request->header, request->want_header, err);
}

enum assay_status
http_get(const struct http_get *request, struct http_reply *reply,
         struct buffer *body, struct assay_error *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    enum assay_status st = ASSAY_OK;
    CURLcode rc;

    if (!curl || !set_url(curl, request) || !set_limits(curl, request) ||
        !set_body(curl, body, detail) ||
        !set_request(curl, request, &headers)) {
        st = assay_nomem(err, "http request");
        goto out;
    }
    rc = curl_easy_perform(curl);
    if (rc != CURLE_OK)
        st = fail_curl(err, request, rc, body, detail);
    else
        st = take_header(curl, request, err);
    if (rc == CURLE_OK)
        describe(curl, reply);
out:
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return st;
}
