package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.participant.AgentLimits;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Goal: no limit can be set to nothing. Method: all are 1, and then one after the other is 0. */
class LimitsTest {

    @ParameterizedTest
    @ValueSource(classes = {AgentLimits.class, CoordinatorLimits.class})
    void everyLimitIsPositive(Class<?> limits) throws ReflectiveOperationException {
        Constructor<?> constructor = limits.getConstructors()[0];
        Object[] values = Arrays.stream(constructor.getParameterTypes())
                .map(type -> type == int.class ? (Object) 1 : (Object) 1L)
                .toArray();
        assertEquals(constructor.newInstance(values), constructor.newInstance(values));
        for (int i = 0; i < values.length; i++) {
            Object[] wrong = values.clone();
            wrong[i] = wrong[i] instanceof Integer ? (Object) 0 : (Object) 0L;
            Throwable thrown = assertThrows(InvocationTargetException.class, () -> constructor.newInstance(wrong));
            assertInstanceOf(IllegalArgumentException.class, thrown.getCause());
        }
    }
}
