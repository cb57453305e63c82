# expect: refused
meta = {"name": "resource-finally", "description": "the compiler copies what stands in finally, and that again"}

async def main(args):
    try:
        return 1
    finally:
        try:
            return 1
        finally:
            try:
                return 1
            finally:
                try:
                    return 1
                finally:
                    try:
                        return 1
                    finally:
                        try:
                            return 1
                        finally:
                            try:
                                return 1
                            finally:
                                try:
                                    return 1
                                finally:
                                    try:
                                        return 1
                                    finally:
                                        try:
                                            return 1
                                        finally:
                                            try:
                                                return 1
                                            finally:
                                                try:
                                                    return 1
                                                finally:
                                                    try:
                                                        return 1
                                                    finally:
                                                        try:
                                                            return 1
                                                        finally:
                                                            try:
                                                                return 1
                                                            finally:
                                                                try:
                                                                    return 1
                                                                finally:
                                                                    log('x')
