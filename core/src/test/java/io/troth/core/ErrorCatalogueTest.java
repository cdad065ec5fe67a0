package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Goal: docs/ERRORS.md says exactly what the catalogue says. Method: generate the page and compare; {@code
 * -Dtroth.rewrite=true} writes it.
 */
class ErrorCatalogueTest {

    private static final Path PAGE = Path.of("..", "docs", "ERRORS.md");

    @Test
    void pageIsGeneratedFromTheCatalogue() throws IOException {
        String page = page();
        if (Boolean.getBoolean("troth.rewrite")) {
            Files.writeString(PAGE, page);
        }
        assertEquals(page, Files.readString(PAGE), "rewrite it with -Dtroth.rewrite=true and review the difference");
    }

    @Test
    void everyCodeHasAnSqlStateAndAnAdvice() {
        for (ErrorCode code : ErrorCode.values()) {
            assertTrue(code.sqlState().matches("[0-9A-Z]{5}"), code + " has SQLState " + code.sqlState());
            assertTrue(code.advice().endsWith("."), code + " has an advice that is not a sentence");
        }
    }

    @Test
    void nothingUnknownIsEverRetryable() {
        for (ErrorCode code : ErrorCode.values()) {
            boolean uncertain =
                    code.status() == ErrorCode.Status.UNKNOWN || code.status() == ErrorCode.Status.DATA_LOSS;
            assertFalse(uncertain && code.retryable(), code + " is uncertain and must not be retried");
        }
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Errors

                Every refusal, rollback and unknown outcome carries one of these codes: on the wire (`Reason.code`), in
                exceptions, in log lines and as a metric tag. *Retry* says that the same work may be run again as a new
                transaction: nothing of the first attempt is left. That holds for what was refused and for a transaction
                that was rolled back; a commit that got an error in place of an outcome may have succeeded, whatever the
                code. The library asks until it knows; who speaks gRPC himself repeats the commit
                ([OTHER-LANGUAGES.md](OTHER-LANGUAGES.md)). A refusal has its code as the trailer `troth-reason`, too, and
                one of a database its SQLState as `troth-sqlstate`. A code never changes its meaning.

                This page is generated from `io.troth.core.ErrorCode`.

                | code | gRPC status | SQLState | retry | what to do |
                |---|---|---|---|---|
                """);
        for (ErrorCode code : ErrorCode.values()) {
            page.append("| `%s` | %s | %s | %s | %s |%n"
                    .formatted(
                            code.name(),
                            code.status(),
                            code.sqlState(),
                            code.retryable() ? "yes" : "no",
                            code.advice().replace("|", "\\|")));
        }
        return page.toString();
    }
}
