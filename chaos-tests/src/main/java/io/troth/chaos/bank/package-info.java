/**
 * The workload whose truth can be checked: money moves between two banks, each a database of its own, and every answer
 * a client got is compared with what both databases hold afterwards.
 */
@NullMarked
package io.troth.chaos.bank;

import org.jspecify.annotations.NullMarked;
