/**
 * What is written about a run: a table for the terminal, files for programs, and one page for people. Pure functions of
 * results; nothing here measures.
 */
@NullMarked
package io.troth.bench.report;

import org.jspecify.annotations.NullMarked;
